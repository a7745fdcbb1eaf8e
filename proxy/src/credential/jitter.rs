//! Chance, so that many sidecars which started together do not call a server in step.

/// A fraction from 0 to 1, both included, all equally likely.
pub(crate) fn fraction() -> f64 {
    let mut bytes = [0; 4];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works, or no TLS would");
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn stays_within_its_bounds() {
        assert!((0..1000).all(|_| (0.0..=1.0).contains(&super::fraction())));
    }
}
