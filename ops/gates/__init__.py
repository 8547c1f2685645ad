"""Gates: what in a change needs somebody's approval, the approvals themselves, and what they are bound to."""
