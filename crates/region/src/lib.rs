//! One region: builds its parts, wires their channels, starts and stops them in order.
//!
//! It decides nothing.
