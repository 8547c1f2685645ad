"""What a bandit's settings would earn and cost, shown before a request is at stake."""
