//! Our cost beside the peers' and the limits', in one run.
