//! Finds a script's reply in the output of the login shell. Pure.
//!
//! Login shells print banners and quota notices before and after it. The reply is
//! between `MARK begin` and `MARK end CODE`, each on its own line; MARK is a new random
//! word for each run (`scripts/prelude.sh`).

/// A script's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Framed<'a> {
    /// Its output, byte for byte.
    pub(crate) content: &'a [u8],
    /// Its exit code.
    pub(crate) code: i32,
}

/// The reply in `output`; `None` if it is missing or incomplete.
pub(crate) fn framed<'a>(output: &'a [u8], mark: &str) -> Option<Framed<'a>> {
    let begin = format!("\n{mark} begin\n");
    let end = format!("\n{mark} end ");
    let start = find(output, begin.as_bytes())? + begin.len();
    let rest = output.get(start..)?;
    let stop = find_last(rest, end.as_bytes())?;
    let content = rest.get(..stop)?;
    let code = rest.get(stop + end.len()..)?;
    let code = code.get(..find(code, b"\n")?)?;
    Some(Framed {
        content,
        code: std::str::from_utf8(code).ok()?.parse().ok()?,
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn find_last(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .rposition(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MARK: &str = "cgc-0123456789abcdef";

    fn output(before: &[u8], content: &[u8], code: i32, after: &[u8]) -> Vec<u8> {
        let begin = format!("\n{MARK} begin\n");
        let end = format!("\n{MARK} end {code}\n");
        [before, begin.as_bytes(), content, end.as_bytes(), after].concat()
    }

    #[test]
    fn a_reply_without_noise() {
        let output = output(b"", b"submitted 7\n", 0, b"");
        let expected = Framed {
            content: b"submitted 7\n",
            code: 0,
        };
        assert_eq!(framed(&output, MARK), Some(expected));
    }

    #[test]
    fn other_marks_are_content() {
        let content = b"\ncgc-ffff begin\n1|RUNNING\ncgc-ffff end 0\n";
        let output = output(b"Welcome!", content, 42, b"bye");
        assert_eq!(framed(&output, MARK), Some(Framed { content, code: 42 }));
    }

    #[test]
    fn an_incomplete_reply_is_none() {
        let whole = output(b"banner\n", b"1|RUNNING", 0, b"");
        for length in 0..whole.len() {
            assert_eq!(
                framed(&whole[..length], MARK),
                None,
                "the first {length} bytes"
            );
        }
        assert!(framed(&whole, MARK).is_some());
    }

    proptest! {
        #[test]
        fn content_comes_back_whatever_is_around_it(
            before in prop::collection::vec(any::<u8>(), 0..64),
            content in prop::collection::vec(any::<u8>(), 0..64),
            after in prop::collection::vec(any::<u8>(), 0..64),
            code in 0..256,
        ) {
            let output = output(&before, &content, code, &after);
            prop_assert_eq!(framed(&output, MARK), Some(Framed { content: &content, code }));
        }
    }
}
