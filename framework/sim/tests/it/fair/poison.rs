//! A message at which its receiver panics: it becomes a dead letter, and nothing else suffers.
