//! The macros behind Lightmoon contracts: contract, data, replicate.
