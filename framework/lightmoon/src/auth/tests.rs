//! Who is let in, and what everybody else is told.

use super::choice::read_secret;
use super::*;
use crate::setting::Settings;

const NOW: u64 = 1_800_000_000;
const SECRET: [u8; 32] = *b"a secret that is 32 bytes long..";
/// Claims that are good.
const GOOD: &str = r#"{"sub":"42","exp":1800003600}"#;
const HS256: &[u8] = br#"{"alg":"HS256"}"#;

fn tokens() -> SignedTokens {
    SignedTokens { clock: || NOW, ..SignedTokens::hs256(&SECRET).unwrap() }
}

fn issuer() -> Issuer {
    Issuer::hs256(&SECRET).unwrap()
}

/// What a server says of rightly signed claims.
fn claimed(tokens: &SignedTokens, claims: &str) -> Result<Identity, String> {
    let token = issuer().sign_parts(HS256, claims.as_bytes());
    tokens.authenticate(token.as_bytes()).map_err(|denied| denied.reason)
}

fn refused(tokens: &SignedTokens, token: &str) -> String {
    tokens.authenticate(token.as_bytes()).unwrap_err().reason
}

#[test]
fn a_token_of_the_right_key_is_its_player_with_its_roles() {
    let claims = Claims::of_player(42, NOW + 60).roles(["admin", "tester"]);
    let identity = tokens().authenticate(issuer().sign(&claims).as_bytes()).unwrap();
    assert_eq!(identity, Identity { player: 42, roles: vec!["admin".into(), "tester".into()] });
    assert_eq!(tokens().warning(), None, "it is fit for production");
    assert_eq!(claimed(&tokens(), GOOD).unwrap(), Identity { player: 42, roles: vec![] });
}

#[test]
fn a_public_key_is_enough_to_verify() {
    let issuer = Issuer::ed25519(&[3; 32]);
    let verifier = |key| SignedTokens { clock: || NOW, ..SignedTokens::ed25519(key) };
    let token = issuer.sign(&Claims::of_player(7, NOW + 60));
    let tokens = verifier(issuer.public_key().unwrap());
    assert_eq!(tokens.authenticate(token.as_bytes()).unwrap().player, 7);
    let other = verifier(Issuer::ed25519(&[4; 32]).public_key().unwrap());
    assert_eq!(refused(&other, &token), "the token's signature is wrong");
    // No bytes are a key that accepts anything or panics.
    for key in [[0; 32], [0xFF; 32]] {
        assert_eq!(refused(&verifier(key), &token), "the token's signature is wrong");
    }
}

/// The examples of RFC 7515, A.1 and RFC 8037, A.4: their signatures are right, their claims are none of ours.
#[test]
fn signatures_of_others_are_understood() {
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let tokens = SignedTokens::hs256(&URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap();
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6\
                 Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert!(refused(&tokens, token).contains("missing field `sub`"), "{}", refused(&tokens, token));
    let key = [
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
        0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    ];
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6d\
                 WbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let reason = refused(&SignedTokens::ed25519(key), token);
    assert!(reason.starts_with("the token's claims are not understood"), "{reason}");
}

#[test]
fn a_token_that_is_not_ours_is_refused_with_the_reason() {
    let token = issuer().sign_parts(HS256, GOOD.as_bytes());
    let other = Issuer::hs256(b"another secret of 32 bytes, or so").unwrap();
    assert_eq!(
        refused(&tokens(), &other.sign_parts(HS256, GOOD.as_bytes())),
        "the token's signature is wrong"
    );
    let (unsigned, _) = token.rsplit_once('.').unwrap();
    for signature in ["", "AAAA", "not base64!", "="] {
        let token = format!("{unsigned}.{signature}");
        assert_eq!(refused(&tokens(), &token), "the token's signature is wrong");
    }
    for none in ["", "a guest's token", "a.b", "a.b.c.d", unsigned] {
        assert!(refused(&tokens(), none).starts_with("this is no signed token"), "{none}");
    }
    let long = format!("{token}{}", "A".repeat(limits::TOKEN_BYTES_MAX));
    assert_eq!(refused(&tokens(), &long), "the token has more than 1024 bytes");
}

#[test]
fn the_key_decides_the_algorithm_and_not_the_token() {
    for algorithm in ["none", "NONE", "hs256", "HS512", "RS256", "EdDSA"] {
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        let signed = issuer().sign_parts(header.as_bytes(), GOOD.as_bytes());
        let (unsigned, _) = signed.rsplit_once('.').unwrap();
        for token in [signed.clone(), format!("{unsigned}.")] {
            assert!(refused(&tokens(), &token).contains("is not signed with HS256"), "{token}");
        }
    }
    // A public key is no secret: signing with it by the other algorithm proves nothing.
    let public = Issuer::ed25519(&[3; 32]).public_key().unwrap();
    let token = Issuer::hs256(&public).unwrap().sign_parts(HS256, GOOD.as_bytes());
    assert!(refused(&SignedTokens::ed25519(public), &token).contains("is not signed with EdDSA"));
    let token = issuer().sign_parts(br#"{"alg":"HS256","crit":["b64"],"b64":false}"#, GOOD.as_bytes());
    assert!(refused(&tokens(), &token).contains("extensions"));
    let token = issuer().sign_parts(b"{}", GOOD.as_bytes());
    assert!(refused(&tokens(), &token).contains("missing field `alg`"));
}

#[test]
fn a_token_is_good_between_its_times_and_half_a_minute_around_them() {
    let at = |claims: String| claimed(&tokens(), &claims).map(|identity| identity.player);
    let ends = |exp: u64| at(format!(r#"{{"sub":"1","exp":{exp}}}"#));
    assert_eq!(ends(NOW + 1), Ok(1));
    assert_eq!(ends(NOW - 29), Ok(1));
    assert_eq!(ends(NOW - 30), Err("the token expired 30 seconds ago".into()));
    assert_eq!(ends(0), Err(format!("the token expired {NOW} seconds ago")));
    assert_eq!(ends(u64::MAX), Ok(1));
    let begins = |nbf: u64| at(format!(r#"{{"sub":"1","exp":{},"nbf":{nbf}}}"#, u64::MAX));
    assert_eq!(begins(NOW + 30), Ok(1));
    assert_eq!(begins(NOW + 31), Err("the token begins in 31 seconds".into()));
    assert!(begins(u64::MAX).is_err());
}

#[test]
fn a_claim_of_a_wrong_type_is_not_a_missing_claim() {
    for (claims, word) in [
        (r#"{"sub":"1"}"#, "missing field `exp`"),
        (r#"{"exp":1800003600}"#, "missing field `sub`"),
        (r#"{"sub":"1","exp":"1800003600"}"#, "expected u64"),
        (r#"{"sub":"1","exp":1800003600.5}"#, "expected u64"),
        (r#"{"sub":"1","exp":-1}"#, "expected u64"),
        (r#"{"sub":"1","exp":1800003600,"nbf":"9999999999"}"#, "expected u64"),
        (r#"{"sub":1,"exp":1800003600}"#, "expected a string"),
        (r#"{"sub":"1","exp":1800003600,"roles":"admin"}"#, "expected a sequence"),
        (r#"{"sub":"1","sub":"2","exp":1800003600}"#, "duplicate field"),
        (r#"{"sub":"1","exp":1800003600"#, "EOF"),
    ] {
        let reason = claimed(&tokens(), claims).unwrap_err();
        assert!(reason.contains(word), "{claims}: {reason}");
    }
}

#[test]
fn a_token_for_another_game_opens_no_door() {
    let ours = tokens().audience("ours");
    let aud = |tokens: &SignedTokens, aud: &str| {
        claimed(tokens, &format!(r#"{{"sub":"1","exp":{},"aud":{aud}}}"#, NOW + 60)).map_err(|_| ())
    };
    assert!(aud(&ours, r#""ours""#).is_ok() && aud(&ours, r#"["theirs","ours"]"#).is_ok());
    for other in [r#""theirs""#, r#"["theirs"]"#, "[]", "null", r#""Ours""#] {
        assert_eq!(aud(&ours, other), Err(()), "{other}");
    }
    assert!(claimed(&ours, GOOD).unwrap_err().contains("has to name \"ours\""));
    assert_eq!(aud(&tokens(), r#""theirs""#), Err(()), "who has no name is not meant");
}

#[test]
fn a_subject_is_a_number_or_hashed_and_never_two_spellings_of_one_player() {
    assert_eq!(player_key("18446744073709551615"), Some(u64::MAX));
    for nobody in ["", "0", "00", "042", "18446744073709551616", "999999999999999999999"] {
        assert_eq!(player_key(nobody), None, "{nobody}");
        let claims = format!(r#"{{"sub":"{nobody}","exp":{}}}"#, NOW + 60);
        assert!(claimed(&tokens(), &claims).unwrap_err().contains("`sub` names no player"), "{nobody}");
    }
    // Golden: players keep their state by it.
    assert_eq!(player_key("ann@example.org"), Some(0xc38c_4c7a_fe60_0cdf));
    for hashed in ["+42", "42 ", "-1", "٤٢"] {
        assert!(player_key(hashed).unwrap() >= 1 << 63, "{hashed}");
    }
}

#[test]
fn a_secret_that_can_be_guessed_is_refused() {
    assert_eq!(SignedTokens::hs256(&[1; 31]).unwrap_err(), Error::SecretTooShort(31));
    assert!(Issuer::hs256(b"secret").unwrap_err().to_string().contains("can be guessed"));
}

#[test]
fn nothing_shows_a_secret() {
    let shown = format!("{:?} {:?}", tokens(), issuer());
    assert!(!shown.contains("secret") && !shown.contains("97, 32"), "{shown}");
}

#[test]
fn the_end_of_a_line_is_no_part_of_a_secret() {
    let scratch = crate::scratch::Scratch::new();
    let file = scratch.path().join("secret");
    for end in ["", "\n", "\r\n"] {
        std::fs::write(&file, [SECRET.as_slice(), end.as_bytes()].concat()).unwrap();
        assert_eq!(read_secret(&file).unwrap(), SECRET);
    }
    std::fs::write(&file, "too short\n").unwrap();
    assert!(read_secret(&file).unwrap_err().to_string().contains("can be guessed"));
    std::fs::write(&file, [7; 5_000]).unwrap();
    assert!(read_secret(&file).unwrap_err().to_string().contains("more than 4096 bytes"));
    let failure = read_secret(&scratch.path().join("none")).unwrap_err().to_string();
    assert!(failure.contains("--auth tokens") && failure.contains("--auth-secret-file"), "{failure}");
}

#[test]
fn a_secret_without_tokens_is_a_mistake() {
    let settings = || Settings::defaults(&[AUTH, SECRET_FILE]);
    assert!(AuthOptions::read(&settings()).is_ok());
    let failure = AuthOptions::read(&settings().with("auth-secret-file", "x")).unwrap_err();
    assert!(failure.to_string().contains("--auth tokens"), "{failure}");
    assert!(
        AuthOptions::read(&settings().with("auth", "anybody")).unwrap_err().to_string().contains("`tokens`")
    );
}

#[test]
fn a_changed_or_shortened_token_is_worthless() {
    let issuers = [issuer(), Issuer::ed25519(&[3; 32])];
    let of_key = |key| SignedTokens { clock: || NOW, ..SignedTokens::ed25519(key) };
    let verifiers = [tokens(), of_key(issuers[1].public_key().unwrap())];
    for (issuer, tokens) in issuers.iter().zip(verifiers) {
        let token = issuer.sign(&Claims::of_player(42, NOW + 60)).into_bytes();
        assert!(tokens.authenticate(&token).is_ok());
        for at in 0..token.len() {
            assert!(tokens.authenticate(&token[..at]).is_err());
            for change in [1, 0x20, 0x80, 0xFF] {
                let mut changed = token.clone();
                changed[at] ^= change;
                assert!(tokens.authenticate(&changed).is_err(), "{}", String::from_utf8_lossy(&changed));
            }
        }
    }
}
