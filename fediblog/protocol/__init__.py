"""The language of the fediverse, pure: documents, signatures, proofs, authority. No network, clock or logger."""
