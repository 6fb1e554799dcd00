//! How large the tree of a JSON text becomes, told from the text alone.

/// What the tree of a JSON text may take before it becomes values, in bytes; to be asked before
/// a stranger's text is parsed.
///
/// A megabyte of `{"":0},` makes a hundred: serde_json gives each object that is not empty room
/// for eleven fields.
pub fn json_tree_bytes(text: &[u8]) -> usize {
    const OBJECT: usize = 640;
    const ARRAY: usize = 128;
    /// An entry of a list that doubles as it grows, or of an object.
    const ENTRY: usize = 64;
    let (mut bytes, mut in_string, mut escaped) = (text.len(), false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' => bytes += OBJECT,
            b'[' => bytes += ARRAY,
            b',' => bytes += ENTRY,
            _ => {}
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_of_small_objects_is_known_to_be_large() {
        let objects = format!("[{}0]", r#"{"":0},"#.repeat(100_000));
        assert!(json_tree_bytes(objects.as_bytes()) > 64_000_000);
        let text = format!(r#"["{}\"{{[,"]"#, "{[,".repeat(1_000));
        assert!(json_tree_bytes(text.as_bytes()) < text.len() + 200, "what is inside a text makes no tree");
    }
}
