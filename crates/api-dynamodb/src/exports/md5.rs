//! MD5, which manifests of exports carry. It protects nothing.
//!
//! Source: RFC 1321.

/// Returns the sum over some bytes.
pub(crate) fn sum(bytes: &[u8]) -> [u8; 16] {
    let mut state: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let mut blocks = bytes.chunks_exact(64);
    blocks.by_ref().for_each(|block| add(&mut state, block));
    let rest = blocks.remainder();
    let mut last = rest.to_vec();
    last.push(0x80);
    while last.len() % 64 != 56 {
        last.push(0);
    }
    let bits = u64::try_from(bytes.len())
        .unwrap_or(u64::MAX)
        .wrapping_mul(8);
    last.extend_from_slice(&bits.to_le_bytes());
    last.chunks_exact(64)
        .for_each(|block| add(&mut state, block));
    let mut sum = [0; 16];
    for (part, word) in sum.chunks_exact_mut(4).zip(state) {
        part.copy_from_slice(&word.to_le_bytes());
    }
    sum
}

fn add(state: &mut [u32; 4], block: &[u8]) {
    let mut words = [0_u32; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    let [mut a, mut b, mut c, mut d] = *state;
    for step in 0..64_usize {
        let (mixed, at) = match step / 16 {
            0 => (b & c | !b & d, step),
            1 => (d & b | !d & c, 5 * step + 1),
            2 => (b ^ c ^ d, 3 * step + 5),
            _ => (c ^ (b | !d), 7 * step),
        };
        let turned = a
            .wrapping_add(mixed)
            .wrapping_add(sine(step))
            .wrapping_add(words[at % 16])
            .rotate_left(TURNS[step / 16][step % 4]);
        (a, d, c, b) = (d, c, b, b.wrapping_add(turned));
    }
    for (sum, word) in state.iter_mut().zip([a, b, c, d]) {
        *sum = sum.wrapping_add(word);
    }
}

/// Returns the constant of a step: the whole part of 2^32 · |sin(step + 1)|.
fn sine(step: usize) -> u32 {
    let angle = f64::from(u32::try_from(step).unwrap_or(0) + 1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is below 2^32 and not negative"
    )]
    let whole = (angle.sin().abs() * 4_294_967_296.0) as u32;
    whole
}

const TURNS: [[u32; 4]; 4] = [
    [7, 12, 17, 22],
    [5, 9, 14, 20],
    [4, 11, 16, 23],
    [6, 10, 15, 21],
];

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn sums_are_those_of_the_rfc() {
        let cases = [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ];
        for (text, expected) in cases {
            let hex = format!("{:032x}", u128::from_be_bytes(sum(text.as_bytes())));
            assert_eq!(hex, expected, "{text}");
        }
    }
}
