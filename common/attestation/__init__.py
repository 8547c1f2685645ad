"""Signed statements: in-toto statements in DSSE envelopes, who may sign them, and whom a reader trusts.

Used for a drill's evidence and for a release's lineage. The formats and the checks are libraries'
(`securesystemslib`, `in-toto-attestation`); what stands here is what they leave open: where keys come from, how a
key is named, whom to trust, and how each way of forging ends.
"""
