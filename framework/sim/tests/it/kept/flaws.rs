//! Storms must find a wrong product.
