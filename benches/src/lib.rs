//! What the product costs, beside what it is compared with.
