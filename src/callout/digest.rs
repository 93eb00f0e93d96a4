//! SHA-256: nobody can make a text that has another one's digest.
//!
//! Source: NIST FIPS 180-4, sections 4 to 6, read 2026-11-21.

/// Beginnings of the fractions of the cube roots of the first 64 primes.
const ROUNDS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// Beginnings of the fractions of the square roots of the first eight primes.
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

const BLOCK: usize = 64;

/// The digest of the message.
pub(super) fn sha256(mut message: Vec<u8>) -> [u8; 32] {
    let bits = (message.len() as u64).wrapping_mul(8);
    message.push(0x80);
    let filled = message.len().next_multiple_of(BLOCK);
    let room = filled.saturating_sub(message.len());
    // The length needs eight bytes of the last block.
    let zeros = if room < 8 { room + BLOCK } else { room } - 8;
    message.resize(message.len() + zeros, 0);
    message.extend_from_slice(&bits.to_be_bytes());
    let blocks = message.as_chunks::<BLOCK>().0.iter();
    let state = blocks.fold(START, mixed);
    let mut digest = [0; 32];
    let words = digest.as_chunks_mut::<4>().0.iter_mut();
    words
        .zip(state)
        .for_each(|(to, word)| *to = word.to_be_bytes());
    digest
}

fn mixed(state: [u32; 8], block: &[u8; BLOCK]) -> [u32; 8] {
    let mut words = [0; 16];
    let bytes = block.as_chunks::<4>().0;
    words
        .iter_mut()
        .zip(bytes)
        .for_each(|(word, bytes)| *word = u32::from_be_bytes(*bytes));
    let mut mixing = state;
    for constant in ROUNDS {
        let [a, b, c, d, e, f, g, h] = mixing;
        let told = h
            .wrapping_add(e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25))
            .wrapping_add((e & f) ^ (!e & g))
            .wrapping_add(constant)
            .wrapping_add(words[0]);
        let spread = (a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22))
            .wrapping_add((a & b) ^ (a & c) ^ (b & c));
        mixing = [
            told.wrapping_add(spread),
            a,
            b,
            c,
            d.wrapping_add(told),
            e,
            f,
            g,
        ];
        shift(&mut words);
    }
    std::array::from_fn(|i| {
        let (old, new) = (state.get(i), mixing.get(i));
        old.zip(new).map_or(0, |(old, new)| old.wrapping_add(*new))
    })
}

/// The next sixteen words of the schedule.
fn shift(words: &mut [u32; 16]) {
    let (early, late) = (words[1], words[14]);
    let next = words[0]
        .wrapping_add(early.rotate_right(7) ^ early.rotate_right(18) ^ (early >> 3))
        .wrapping_add(words[9])
        .wrapping_add(late.rotate_right(17) ^ late.rotate_right(19) ^ (late >> 10));
    words.rotate_left(1);
    words[15] = next;
}

#[cfg(test)]
mod tests {
    use super::sha256;

    /// Of the vectors of FIPS 180-4, and around the ends of blocks by Python's `hashlib`.
    #[test]
    fn digests_are_those_of_the_standard() {
        for (length, of, digest) in VECTORS {
            let message = of.bytes().cycle().take(length).collect();
            let hex: Vec<String> = sha256(message).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(hex.concat(), digest, "{length} of {of:?}");
        }
    }

    const VECTORS: [(usize, &str, &str); 10] = [
        (
            0,
            "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            3,
            "abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            56,
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            1000000,
            "a",
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
        (
            55,
            "xyz",
            "1d064b6b36a9275822419a9714128288cb7ce71383b24e487feae2b2e5a5cd17",
        ),
        (
            63,
            "xyz",
            "f507cfedb244c302717da2f9a3e2eb0d19a90c345d367e04302c7ac3b2610f20",
        ),
        (
            64,
            "xyz",
            "407833aa59af2f86d404bda32e98e7f6e70ceaa06b7a36032f70cda9df1d251e",
        ),
        (
            65,
            "xyz",
            "9a1d0eea6ccb9b398b38ab13bbfeb345a696499cd06df18eb39fd73a588ffbc9",
        ),
        (
            119,
            "xyz",
            "2f1ae0a2567905b899c4d4b8e79ef616dccc47a6ffe1c843d5554c62be13d233",
        ),
        (
            2049,
            "xyz",
            "03e0629fd50a86e709d71f1e806f8ae91079a094c334bafadc85f375da317a45",
        ),
    ];
}
