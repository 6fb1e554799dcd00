//! The key file.

use std::fs;

use goop2::p2p::{IdentityError, load_or_create, own_id, to_libp2p, to_peer_id};

#[test]
fn a_key_is_made_once_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data/identity.key");
    let first = load_or_create(&path).unwrap();
    let again = load_or_create(&path).unwrap();
    let id = own_id(&first).unwrap();
    assert_eq!(id, own_id(&again).unwrap());
    assert!(id.as_str().starts_with("12D3KooW"), "{id}");
    assert_eq!(to_peer_id(&to_libp2p(&id).unwrap()).unwrap(), id);
    assert_eq!(fs::read_dir(dir.path().join("data")).unwrap().count(), 1, "a temporary file was left");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// The encoding that deployed peers write: type 1 (Ed25519), then the seed and the public key.
/// The key pair is the first of RFC 8032, section 7.1.
#[test]
fn the_file_of_a_deployed_peer_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("identity.key");
    let hex = "08011240\
        9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\
        d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    fs::write(&path, &bytes).unwrap();
    let keypair = load_or_create(&path).unwrap();
    assert_eq!(keypair.to_protobuf_encoding().unwrap(), bytes);
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_file_that_is_no_key_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [("text", b"not a key".to_vec()), ("empty", vec![]), ("long", vec![8; 100_000])] {
        let path = dir.path().join(name);
        fs::write(&path, &bytes).unwrap();
        let error = load_or_create(&path).unwrap_err();
        assert!(matches!(error, IdentityError::NotAKey { .. }), "{error}");
        assert!(error.to_string().contains("is not a libp2p Ed25519 private key"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    assert!(matches!(load_or_create(dir.path()), Err(IdentityError::Read { .. })));
}
