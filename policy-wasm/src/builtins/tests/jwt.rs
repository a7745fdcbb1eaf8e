//! Tokens: each algorithm with a key of its own kind, and everything that must not verify.

use super::Case;

macro_rules! es256_key {
    () => {
        r#""{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"VNzpRYHE371B-L_6NgJZAGttrSVy3qq9PKDEDTkair4\",\"y\":\"ZkxI3VopMqHZyeMOHURvp5NR2MvHDmoRPI9MV6Q8G2M\"}""#
    };
}

macro_rules! es384_key {
    () => {
        r#""{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"WIPFSyxxt4J8ctH9K2gknLqg0FcEospe8gYuj8FgmtO3EFKmGvdBOC-36Ne7iDP8\",\"y\":\"Z3hQvspASvfJQjqbSkYpsoFA04nm0zNOWy1ZqVeefVmmPhws_ln0GOkme9dyN6vo\"}""#
    };
}

macro_rules! es512_key {
    () => {
        r#""{\"crv\":\"P-521\",\"kty\":\"EC\",\"x\":\"AD0HXonXym7mzLJvYA1O5XD3GMUyVdQ51DRpQuaAxoFP38KOi1eFrBrL1NQkuMCnI0sJ1O-Ib9WzvRSv1OleohuM\",\"y\":\"AMyTc-E9f6nAdcKVj4P3nqUPvjUeaPaVf0mE03jfzKUEoDZYJ6zZ9PSfmCpu3hFD4L1BIijN3wY3zMc54skLEEMS\"}""#
    };
}

macro_rules! rsa_key {
    () => {
        r#""{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"scx9Cefold_0S4GPzWN3EPvauX0LVo30tQu6WzVK57OFTTAizE8dvrVqo6zjXrAPJR2e7ZZ5bO-bQHVrz1lC-tuFrT5vmw6XxsQPzjhmQ47YvQIdu-YXpP-dbjWpJUmb55Nh0_2cR3i4ErbtXMOvLeJY_NXBJn_CpduUo_tehlGJRfY2m2E_CRkF6Z5eSf-erdacbWB2C_hT3HUbtb_KHWJXpnFaLWVjckF441qfHA-1QC1iFA1Tvpfz9kKI3NM1FqQuwCbunTGUshO4P-L74iB3ThGp8b4JJ9VIg3BvPbD7FKUd9hoVs9c7f-jcWmunSBWNI_g0m2YW4f2Y7Pj0zQ\"}""#
    };
}

macro_rules! eddsa_key {
    () => {
        r#""{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"0jYjODzlrTotVeNhGTxECmi9UCntLslduKhOa1jckk8\"}""#
    };
}

macro_rules! rsa_private {
    () => {
        r#"{"d":"S2mwn22oo-lEdReUfElJTKrb2vvEE1z4A301-KRiC7oukCQanmNFpTN4R8l3pxyF-qLVsMW3kGe7h1ub9BaoPOlfibExz_114u4bcMdQmNcTQcKOr2P-I2idcwwk8kExH3LOdlww18pxnikjWcqmQuVUA-mmQ0NtYWwBX-GpS3lqVMXvfcHzELsP0DIqzWTtEZxcRfADVLsrwq9RfKB0C337AwohmWRUkpx0LjXnY_GFaXv2iOfGpWY1kBqT7dfNyFyRng-h8Lncw32UeDyWS7KDQjsXvBTAKhtIROrwOvqN741ny45OXYO5FtqWXqerxPZU2UPEsEikcaui0ZH5","dp":"uQLKO4j2XwNmPqpjFTkNL7lnV8LHSNlFOmNxLSuczeedbn8ivq7x6-FFuF0EQThQwMpaagPSaItqfZUb3h-TPl3MXdZT8KEy9ZSmvjskPsJeD5e9C8qIdet3k2SY0YzDxDIlygpCwwTq6C0ih4wUhHFBaGCkO7FUws8NYWbJ030","dq":"acj9POLhkZzfqUz3MFxHWIBYqIyhy51eG2BEgPVHGVSEpZacDYdkLLbtybCNXI9hCEuO8F0bX-ScTzNLOPQrAeh0FjJQvO7_pgmyYnBxpQC5zU1sZ_jqLiTuJPPdfUi_UNGAhBRkV0ff0yDxNgeM0bx5KjLmgePATkbtDSBK5dE","e":"AQAB","kty":"RSA","n":"scx9Cefold_0S4GPzWN3EPvauX0LVo30tQu6WzVK57OFTTAizE8dvrVqo6zjXrAPJR2e7ZZ5bO-bQHVrz1lC-tuFrT5vmw6XxsQPzjhmQ47YvQIdu-YXpP-dbjWpJUmb55Nh0_2cR3i4ErbtXMOvLeJY_NXBJn_CpduUo_tehlGJRfY2m2E_CRkF6Z5eSf-erdacbWB2C_hT3HUbtb_KHWJXpnFaLWVjckF441qfHA-1QC1iFA1Tvpfz9kKI3NM1FqQuwCbunTGUshO4P-L74iB3ThGp8b4JJ9VIg3BvPbD7FKUd9hoVs9c7f-jcWmunSBWNI_g0m2YW4f2Y7Pj0zQ","p":"2InKrPLrZ10VcmBkNn81apOoK9OApSyB1q7MMK89BvlV9vpQUTQbpSUP4q36wKtAcfHCeVHAPirCs2f74cAL1z4FM3o8dlxlGuv45j8OlEIhe-QraXmUe0r_qToyJQL9ziqlYepORDzefSZPhpDPA-FlO4VeKusdBKFi_v2KmLU","q":"0jNgJv8Kg2kuskcx8yRugNAGhuEUYmnKks9NLWugLWtMkDVp-xcYysM2oeYBj51gErnftdQY4GjJNzblEYV8v5acMCxD3Qnsko2r_LsfUobES9-ZlgPV5IQrmt0bOMmIQ1EXGIzFfSsqC7X0eTbd93jXxJttjmpqegptOX6Qcrk","qi":"X4-5r22K-b31PHRTfHdTnRl_rSltA3DpV7SBIafATTF4qkhx6E5qF_Rx0_PbOsFgB3sX-NzIdKoLqbGxo2G0tV1vyzsjPTzMujQxEd-dE7--IEzmi175lSPQzmaLkSuaGwjeby3HbiV027HFYXsu-0t5aITPoP_RX24GJRbbrBc"}"#
    };
}

macro_rules! rsa_pem {
    () => {
        r#""-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAscx9Cefold/0S4GPzWN3\nEPvauX0LVo30tQu6WzVK57OFTTAizE8dvrVqo6zjXrAPJR2e7ZZ5bO+bQHVrz1lC\n+tuFrT5vmw6XxsQPzjhmQ47YvQIdu+YXpP+dbjWpJUmb55Nh0/2cR3i4ErbtXMOv\nLeJY/NXBJn/CpduUo/tehlGJRfY2m2E/CRkF6Z5eSf+erdacbWB2C/hT3HUbtb/K\nHWJXpnFaLWVjckF441qfHA+1QC1iFA1Tvpfz9kKI3NM1FqQuwCbunTGUshO4P+L7\n4iB3ThGp8b4JJ9VIg3BvPbD7FKUd9hoVs9c7f+jcWmunSBWNI/g0m2YW4f2Y7Pj0\nzQIDAQAB\n-----END PUBLIC KEY-----\n""#
    };
}

macro_rules! rsa_certificate {
    () => {
        r#""-----BEGIN CERTIFICATE-----\nMIIC7DCCAdSgAwIBAgIBATANBgkqhkiG9w0BAQsFADAOMQwwCgYDVQQDDANqd3Qw\nIBcNMjYxMTI2MDgyMzA5WhgPMjEyNjExMDIwODIzMDlaMA4xDDAKBgNVBAMMA2p3\ndDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALHMfQnn6JXf9EuBj81j\ndxD72rl9C1aN9LULuls1SuezhU0wIsxPHb61aqOs416wDyUdnu2WeWzvm0B1a89Z\nQvrbha0+b5sOl8bED844ZkOO2L0CHbvmF6T/nW41qSVJm+eTYdP9nEd4uBK27VzD\nry3iWPzVwSZ/wqXblKP7XoZRiUX2NpthPwkZBemeXkn/nq3WnG1gdgv4U9x1G7W/\nyh1iV6ZxWi1lY3JBeONanxwPtUAtYhQNU76X8/ZCiNzTNRakLsAm7p0xlLITuD/i\n++Igd04RqfG+CSfVSINwbz2w+xSlHfYaFbPXO3/o3Fprp0gVjSP4NJtmFuH9mOz4\n9M0CAwEAAaNTMFEwHQYDVR0OBBYEFM2eor9Q/M2GUQfUGK1zHEJbTK/kMB8GA1Ud\nIwQYMBaAFM2eor9Q/M2GUQfUGK1zHEJbTK/kMA8GA1UdEwEB/wQFMAMBAf8wDQYJ\nKoZIhvcNAQELBQADggEBACVwht3mFdzhjgArybPwROfHAeq9+9llcFBTJ+GbBJTC\n/Ho5BfDEgUUXJXv9w37OraSeAkMYSMttPXw3QnbB+LZqED8NdoAtP96tcivapqaT\nKu73x5j2R2IlnA4qaxIaO9uu4qtPP83o9e7eSFOu+n5TZf99wPXTAFDqX68Xag/W\nmVSb1TveHMy7qiuCIYnyopAVlbh8mWwUqmBa2hBZTYAcuE6O4MzkF8kHVWLbRJ1L\nac71BFjxrknjVTS+RJdXkgajOMb1wKcZ8Uq1dHLieZo7QKzK8bDjb5KzxwRSJxc3\nQhubc1fum37Vcjzyhq2iqQ6KkByFkOSjTs5XmS97OK0=\n-----END CERTIFICATE-----\n""#
    };
}

pub(super) const CASES: &[Case] = &[
    (
        "io.jwt.verify_es256",
        concat!(
            r#"["eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.66mDoh9RtlPSlWwQwnsK94ZehJE6d70um9Y2bZWK_pguOCBx0EEt_wHtBwB6N0eIglpLmeJmMJvjpXAT7zghKA", "#,
            es256_key!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_es384",
        concat!(
            r#"["eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ._VZqm47prROMiVh4rZg1kqtlY1do25UnT7zVPImvVXK5npedm4Q2ukOxvsEus9tjnFy90y8bu8u3dAwcYXf0z-jlil7N1bJCs1j9I3_oFsw7GTb-P9wLvJkfKt52C-2n", "#,
            es384_key!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_es512",
        concat!(
            r#"["eyJhbGciOiJFUzUxMiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.ATqne_bX8fUNiNxHbSIUQcZy3f_4g4yr8GLdyLkPwNpq395qzcysMcErE54h0forXRX8Mc8JrmjUqagZ415BrDbmASOW9GFzpQWeYfNG4VlGz2LH8VQiOvSpPAR65w84VRNnf4737VtxM6sLT-GyJ-rpj50cAKAFtsvS3kpUmg6n6phn", "#,
            es512_key!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_eddsa",
        concat!(
            r#"["eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.DiNoGnqCECLZNQtSYTD0JxLa2CAcnwH23tGzI1r2xSveToVPJxGHq3LvCNde1rpjsBkb5n137Olc8Eeoc5C7Cg", "#,
            eddsa_key!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_rs256",
        concat!(
            r#"["eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.IPXpmaDswlbs2agcaeLGHPj7DHMOeiVfsZ-rCx49i8kj9bnP786IDA1zsAeV3RdIRBwtRDmDdTgmubnTWUCjXZ7--mI58RSAaRzRCQV4tGpX6Fpamg0N3iAC603-szwAjtncqqlgQ_8E7alFnKVRROvkX3SqDb3x6y0JJ0Dkesh7B9UKlRspnWn1tt0f97VUqZKs9C4ZEKNxxqPwmzUmuGn1OjEIDe2CMnBivRE3UEp9Ivehqojvs43YohESJgehZMNWDf-rhKXvteWbxxNPeBjHlWZuCC6BKZ90yELy0dZwtrdXi12gswHYMsGi-aDoRLfMTPSvCNvAxxUKiTMtsQ", "#,
            rsa_key!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_rs384",
        concat!(
            r#"["eyJhbGciOiJSUzM4NCIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.nOOQcaamfyKbA1yaLm-aYCgTz2Y9SvH4-QRItGYFnc7n5r-IL8f4xltZzaka-hnStaIlqQpeKCjQ-jhJFO5KajREhMUwP7T3SkGs3jIi-C5gC6ZUhSmgc5lpvcTi0ZiNCHrSNItFL-KWN_VBCUG5cLoBdSl3p629ATPK4SHUECPei7azw09BdClqpG78jE1xlDeJqkIHVFzpUFue6GAkVlV0Bs5FrjYttZ6pN4ae-hQY5ir-iwT-ui6Ucm_x7HVTuY4joPqEVDSwLo0kHUirwHiU9ygWI2--SC8yCh8bBS1yF4tlXJVg0HPUBUyBLb7l7QwOgIUnK-b3Ch7a_5iY_w", "#,
            rsa_key!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_rs512",
        concat!(
            r#"["eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.MARvZYC3kLlLlcN4m31SWIDCQ0rnMGCYwr84hez4MDATWR3r9n-b1zITdCGL9uxV6oGU-BcbBCQ4yFlnpfy_gsqw0QgEbbLuB5YUbrB73IIRNd17JUZ4yp-5iuiJf0FllLT9F8Fdjbt_EYm9GL4m1b2fMRmX2Dn1Gno1MJ6ozX7qXLDeInr95Ar_iqGt_fmlyiINDwuxF57EdkrWiPJqiyZOphq9SyYL9vXS69GOVx_nNoUt1sfoMAlYwDUiPf-Ueku1R7HfGs8jpX09KIyzEd--iM8ppWt8AQmk66GU_rb2MtaCA7eEI5vWYy0w0P8GJx3RliSkj8TJ0o9OjVQx6w", "#,
            rsa_key!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_ps256",
        concat!(
            r#"["eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.U6gH3a25J6I2JujH3zbIL_l2GHiIkVFfjqI37qljAj4waIIUveu6ZZ2KTTLVDAdDoPLIpIly5otor9PLrmihmeCKWKU0cy1uevfgaG4g15tjIshka1xNYomRD0R6CWUPOLl9oePKjgAo73hSQ96AIn2Z4fqiDDMWvPIdkXxeA5h_0Ux_RmRaqKUxgBn6pYpwIxbZSqhaz9y5zyGSUh9sTEIPOrdUwsEdfC4sc-bHrg6b4sMA2tNodJoMAGg2oIp1ijBI2-00HN_jKFCIhBKI0brmQTVMmm27RyOWt1zQDUL71DB8Eqp7L8TqswMphVRJZcGeFGgb9IaTqZJc_paf7A", "#,
            rsa_key!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_ps384",
        concat!(
            r#"["eyJhbGciOiJQUzM4NCIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.NGNzb8nbhYDuypzLmE7tkHgcvkNO-uUdQTmLZss5cUM_ofjSH-hCB5e2N9CqpP_vJjwgUBpJO1MqWx_jCuoDUgG-Wh9-Y-y9tsBeXNx_B49AxREM3UI9mz77nqEdgxv6fohxnTQ7A8EcYG7ayJCfvatCkIlU9aorezTit4XOflFk_fvPmUpid9jKZmoCuXtG9r1Owszma-7SQ0O9B_yfCV0kPLXxyfMJlOXwH3JDRU3KaDfnhZXc-LlCbfg3dkMUXb703B7NrqAXDZVn_j8vtxNE5WkDicCWIYH280QPihbgYxlnse1dhZUWgUDFvlEo_VZRwdkvjqomgSkGBFYPnw", "#,
            rsa_key!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_ps512",
        concat!(
            r#"["eyJhbGciOiJQUzUxMiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.kTzzNLo21k0br_JMu4R_vpHyxSq1TI-lydsgRLe0C9hEuYIngI4GCzSYQPOOEyMNjJ00eki15Y1y7rYX0Xw7Ib0sDVUwxGbAQxINCsOGljnih3nl75fTfCZOzUFENvU3es2NwizQd7BY1qcHb2A17HlDyLuIp53EjdBITDP2AFRC6Rm7YwdNOMVxgjANSGyCzRMAbzgRirokmcInKTPQWPFXRrmBZbPnD5GgQBhM0S3TuzGdT_diPTUgi2LVD2QpHIPC_NMLZi4VxRrFDf5H0jIYTBv1O2MDhro1vioxfK8INk1jS2WNqJbkEuPzjGcm0tzk4xxbzYBR6KBJNM3f9w", "#,
            rsa_key!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_es256",
        concat!(
            r#"["eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoyfQ.66mDoh9RtlPSlWwQwnsK94ZehJE6d70um9Y2bZWK_pguOCBx0EEt_wHtBwB6N0eIglpLmeJmMJvjpXAT7zghKA", "#,
            es256_key!(),
            r#"]"#
        ),
        Some(r#"false"#),
    ),
    (
        "io.jwt.verify_eddsa",
        concat!(
            r#"["eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJhIjoyfQ.DiNoGnqCECLZNQtSYTD0JxLa2CAcnwH23tGzI1r2xSveToVPJxGHq3LvCNde1rpjsBkb5n137Olc8Eeoc5C7Cg", "#,
            eddsa_key!(),
            r#"]"#
        ),
        Some(r#"false"#),
    ),
    (
        "io.jwt.verify_rs256",
        concat!(
            r#"["eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoyfQ.IPXpmaDswlbs2agcaeLGHPj7DHMOeiVfsZ-rCx49i8kj9bnP786IDA1zsAeV3RdIRBwtRDmDdTgmubnTWUCjXZ7--mI58RSAaRzRCQV4tGpX6Fpamg0N3iAC603-szwAjtncqqlgQ_8E7alFnKVRROvkX3SqDb3x6y0JJ0Dkesh7B9UKlRspnWn1tt0f97VUqZKs9C4ZEKNxxqPwmzUmuGn1OjEIDe2CMnBivRE3UEp9Ivehqojvs43YohESJgehZMNWDf-rhKXvteWbxxNPeBjHlWZuCC6BKZ90yELy0dZwtrdXi12gswHYMsGi-aDoRLfMTPSvCNvAxxUKiTMtsQ", "#,
            rsa_key!(),
            r#"]"#
        ),
        Some(r#"false"#),
    ),
    (
        "io.jwt.verify_ps256",
        concat!(
            r#"["eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoyfQ.U6gH3a25J6I2JujH3zbIL_l2GHiIkVFfjqI37qljAj4waIIUveu6ZZ2KTTLVDAdDoPLIpIly5otor9PLrmihmeCKWKU0cy1uevfgaG4g15tjIshka1xNYomRD0R6CWUPOLl9oePKjgAo73hSQ96AIn2Z4fqiDDMWvPIdkXxeA5h_0Ux_RmRaqKUxgBn6pYpwIxbZSqhaz9y5zyGSUh9sTEIPOrdUwsEdfC4sc-bHrg6b4sMA2tNodJoMAGg2oIp1ijBI2-00HN_jKFCIhBKI0brmQTVMmm27RyOWt1zQDUL71DB8Eqp7L8TqswMphVRJZcGeFGgb9IaTqZJc_paf7A", "#,
            rsa_key!(),
            r#"]"#
        ),
        Some(r#"false"#),
    ),
    (
        "io.jwt.verify_rs256",
        concat!(
            r#"["eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.IPXpmaDswlbs2agcaeLGHPj7DHMOeiVfsZ-rCx49i8kj9bnP786IDA1zsAeV3RdIRBwtRDmDdTgmubnTWUCjXZ7--mI58RSAaRzRCQV4tGpX6Fpamg0N3iAC603-szwAjtncqqlgQ_8E7alFnKVRROvkX3SqDb3x6y0JJ0Dkesh7B9UKlRspnWn1tt0f97VUqZKs9C4ZEKNxxqPwmzUmuGn1OjEIDe2CMnBivRE3UEp9Ivehqojvs43YohESJgehZMNWDf-rhKXvteWbxxNPeBjHlWZuCC6BKZ90yELy0dZwtrdXi12gswHYMsGi-aDoRLfMTPSvCNvAxxUKiTMtsQ", "#,
            rsa_pem!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_rs256",
        concat!(
            r#"["eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.IPXpmaDswlbs2agcaeLGHPj7DHMOeiVfsZ-rCx49i8kj9bnP786IDA1zsAeV3RdIRBwtRDmDdTgmubnTWUCjXZ7--mI58RSAaRzRCQV4tGpX6Fpamg0N3iAC603-szwAjtncqqlgQ_8E7alFnKVRROvkX3SqDb3x6y0JJ0Dkesh7B9UKlRspnWn1tt0f97VUqZKs9C4ZEKNxxqPwmzUmuGn1OjEIDe2CMnBivRE3UEp9Ivehqojvs43YohESJgehZMNWDf-rhKXvteWbxxNPeBjHlWZuCC6BKZ90yELy0dZwtrdXi12gswHYMsGi-aDoRLfMTPSvCNvAxxUKiTMtsQ", "#,
            rsa_certificate!(),
            r#"]"#
        ),
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_ps256",
        concat!(
            r#"["eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.IPXpmaDswlbs2agcaeLGHPj7DHMOeiVfsZ-rCx49i8kj9bnP786IDA1zsAeV3RdIRBwtRDmDdTgmubnTWUCjXZ7--mI58RSAaRzRCQV4tGpX6Fpamg0N3iAC603-szwAjtncqqlgQ_8E7alFnKVRROvkX3SqDb3x6y0JJ0Dkesh7B9UKlRspnWn1tt0f97VUqZKs9C4ZEKNxxqPwmzUmuGn1OjEIDe2CMnBivRE3UEp9Ivehqojvs43YohESJgehZMNWDf-rhKXvteWbxxNPeBjHlWZuCC6BKZ90yELy0dZwtrdXi12gswHYMsGi-aDoRLfMTPSvCNvAxxUKiTMtsQ", "#,
            rsa_pem!(),
            r#"]"#
        ),
        Some(r#"false"#),
    ),
    (
        "io.jwt.verify_es256",
        concat!(
            r#"["eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.66mDoh9RtlPSlWwQwnsK94ZehJE6d70um9Y2bZWK_pguOCBx0EEt_wHtBwB6N0eIglpLmeJmMJvjpXAT7zghKA", "#,
            rsa_pem!(),
            r#"]"#
        ),
        Some(r#"false"#),
    ),
    (
        "io.jwt.verify_es256",
        concat!(
            r#"["eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.66mDoh9RtlPSlWwQwnsK94ZehJE6d70um9Y2bZWK_pguOCBx0EEt_wHtBwB6N0eIglpLmeJmMJvjpXAT7zghKA", "#,
            es384_key!(),
            r#"]"#
        ),
        Some(r#"false"#),
    ),
    (
        "io.jwt.verify_rs256",
        r#"["eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.IPXpmaDswlbs2agcaeLGHPj7DHMOeiVfsZ-rCx49i8kj9bnP786IDA1zsAeV3RdIRBwtRDmDdTgmubnTWUCjXZ7--mI58RSAaRzRCQV4tGpX6Fpamg0N3iAC603-szwAjtncqqlgQ_8E7alFnKVRROvkX3SqDb3x6y0JJ0Dkesh7B9UKlRspnWn1tt0f97VUqZKs9C4ZEKNxxqPwmzUmuGn1OjEIDe2CMnBivRE3UEp9Ivehqojvs43YohESJgehZMNWDf-rhKXvteWbxxNPeBjHlWZuCC6BKZ90yELy0dZwtrdXi12gswHYMsGi-aDoRLfMTPSvCNvAxxUKiTMtsQ", "no key"]"#,
        None,
    ),
    ("io.jwt.verify_rs256", concat!(r#"["a.b", "#, rsa_pem!(), r#"]"#), None),
    ("io.jwt.verify_rs256", concat!(r#"["e30.e30.AA", "#, rsa_pem!(), r#"]"#), Some(r#"false"#)),
    (
        "io.jwt.verify_hs256",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.LrlPmSL4FxrzAHJSYbKzsA997COXdYCeFKlt3zt5DIY", "secret"]"#,
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_hs256",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.LrlPmSL4FxrzAHJSYbKzsA997COXdYCeFKlt3zt5DIY", "Secret"]"#,
        Some(r#"false"#),
    ),
    (
        "io.jwt.verify_hs384",
        r#"["eyJhbGciOiJIUzM4NCJ9.eyJhIjoxfQ.OuS-kdJRZ43hWKiN2N7NLIoxhcrz6YYTtFEyRJ5Wet593ob27ph09v7qZHsh7CRL", "secret"]"#,
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_hs384",
        r#"["eyJhbGciOiJIUzM4NCJ9.eyJhIjoxfQ.OuS-kdJRZ43hWKiN2N7NLIoxhcrz6YYTtFEyRJ5Wet593ob27ph09v7qZHsh7CRL", "Secret"]"#,
        Some(r#"false"#),
    ),
    (
        "io.jwt.verify_hs512",
        r#"["eyJhbGciOiJIUzUxMiJ9.eyJhIjoxfQ.BF_tUPvklg9KFYZK9lo-0_HXBevC990FcmaXXELkB3yqoT6SUSJ_y022W5p1CKLuwaqDA4D7x9DlZkGE9EQfbA", "secret"]"#,
        Some(r#"true"#),
    ),
    (
        "io.jwt.verify_hs512",
        r#"["eyJhbGciOiJIUzUxMiJ9.eyJhIjoxfQ.BF_tUPvklg9KFYZK9lo-0_HXBevC990FcmaXXELkB3yqoT6SUSJ_y022W5p1CKLuwaqDA4D7x9DlZkGE9EQfbA", "Secret"]"#,
        Some(r#"false"#),
    ),
    (
        "io.jwt.decode",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA"]"#,
        Some(
            r#"[{"alg": "HS256"}, {"aud": ["a", "b"], "exp": 2000, "iss": "me", "nbf": 1000}, "4348eebbafe316a078f9b3906eead26d9acec0967649396bce724b09e2948290"]"#,
        ),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","aud":"b","time":1500000000000}]"#,
        Some(r#"[true, {"alg": "HS256"}, {"aud": ["a", "b"], "exp": 2000, "iss": "me", "nbf": 1000}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","aud":"b","iss":"me","alg":"HS256","time":1000000000000}]"#,
        Some(r#"[true, {"alg": "HS256"}, {"aud": ["a", "b"], "exp": 2000, "iss": "me", "nbf": 1000}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","aud":"b","time":2000000000000}]"#,
        Some(r#"[false, {}, {}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","aud":"b","time":1999999999999}]"#,
        Some(r#"[true, {"alg": "HS256"}, {"aud": ["a", "b"], "exp": 2000, "iss": "me", "nbf": 1000}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","aud":"b","time":999999999999}]"#,
        Some(r#"[false, {}, {}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","aud":"c","time":1500000000000}]"#,
        Some(r#"[false, {}, {}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","time":1500000000000}]"#,
        Some(r#"[false, {}, {}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","aud":"b","iss":"you","time":1500000000000}]"#,
        Some(r#"[false, {}, {}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","aud":"b","alg":"HS512","time":1500000000000}]"#,
        Some(r#"[false, {}, {}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"x","aud":"b","time":1500000000000}]"#,
        Some(r#"[false, {}, {}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"aud":"b","time":1500000000000}]"#,
        None,
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","colour":1}]"#,
        None,
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","time":-1}]"#,
        None,
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZSIsImF1ZCI6WyJhIiwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMH0.Q0juu6_jFqB4-bOQburSbZrOwJZ2STlrznJLCeKUgpA", {"secret":"k","aud":"b","time":"1"}]"#,
        None,
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiJ9.eyJleHAiOiJzb29uIn0.sXzrs3a684PbdoMcNtIBy49iQ2jstDT83dL2eF-nM1U", {"secret":"k","time":1}]"#,
        None,
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.e30.Ce59E2X3JzA1LJa8I7SrzCeBvZMijQ1AxYYhSsoKKFM", {"secret":"k","time":1}]"#,
        Some(r#"[false, {}, {}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiIsImNyaXQiOltdfQ.e30.XJf7h0lvL8_EibNEMIAeVqNd2H7dBRfRHI-sYm-dXQY", {"secret":"k","time":1}]"#,
        None,
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJub25lIn0.e30.", {"secret":"k","time":1}]"#,
        Some(r#"[false, {}, {}]"#),
    ),
    (
        "io.jwt.decode_verify",
        r#"["eyJhbGciOiJIUzI1NiIsImN0eSI6IkpXVCJ9.ZXlKaGJHY2lPaUpJVXpJMU5pSjkuZXlKNElqb3hmUS5pcThYb0VmSnRDVXNhMUNwX2hJcnVIUWw5WlJLSEVnM2ZrcDc5R2FadHYw.9xr44DdQDKEQjBveKt5_9QI7wDcckP9TUP4lqR8b-yE", {"secret":"k","time":1}]"#,
        Some(r#"[true, {"alg": "HS256"}, {"x": 1}]"#),
    ),
    (
        "io.jwt.decode",
        r#"["eyJhbGciOiJIUzI1NiIsImN0eSI6IkpXVCJ9.ZXlKaGJHY2lPaUpJVXpJMU5pSjkuZXlKNElqb3hmUS5pcThYb0VmSnRDVXNhMUNwX2hJcnVIUWw5WlJLSEVnM2ZrcDc5R2FadHYw.9xr44DdQDKEQjBveKt5_9QI7wDcckP9TUP4lqR8b-yE"]"#,
        Some(
            r#"[{"alg": "HS256"}, {"x": 1}, "8aaf17a047c9b4252c6b50a9fe122bb87425f5944a1c48377e4a7bf46699b6fd"]"#,
        ),
    ),
    (
        "io.jwt.decode_verify",
        concat!(
            r#"["eyJhbGciOiJIUzI1NiJ9.eyJhZG1pbiI6dHJ1ZX0.3gAj6BZ5AxOQwUFzQpQvlvyt5kG70nIvPyAoJOMyTa0", {"cert": "#,
            rsa_pem!(),
            r#", "time": 1}]"#
        ),
        Some(r#"[false, {}, {}]"#),
    ),
    (
        "io.jwt.decode_verify",
        concat!(
            r#"["eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.IPXpmaDswlbs2agcaeLGHPj7DHMOeiVfsZ-rCx49i8kj9bnP786IDA1zsAeV3RdIRBwtRDmDdTgmubnTWUCjXZ7--mI58RSAaRzRCQV4tGpX6Fpamg0N3iAC603-szwAjtncqqlgQ_8E7alFnKVRROvkX3SqDb3x6y0JJ0Dkesh7B9UKlRspnWn1tt0f97VUqZKs9C4ZEKNxxqPwmzUmuGn1OjEIDe2CMnBivRE3UEp9Ivehqojvs43YohESJgehZMNWDf-rhKXvteWbxxNPeBjHlWZuCC6BKZ90yELy0dZwtrdXi12gswHYMsGi-aDoRLfMTPSvCNvAxxUKiTMtsQ", {"cert": "#,
            rsa_pem!(),
            r#", "time": 1}]"#
        ),
        Some(r#"[true, {"alg": "RS256", "typ": "JWT"}, {"a": 1}]"#),
    ),
    (
        "io.jwt.decode_verify",
        concat!(
            r#"["eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.IPXpmaDswlbs2agcaeLGHPj7DHMOeiVfsZ-rCx49i8kj9bnP786IDA1zsAeV3RdIRBwtRDmDdTgmubnTWUCjXZ7--mI58RSAaRzRCQV4tGpX6Fpamg0N3iAC603-szwAjtncqqlgQ_8E7alFnKVRROvkX3SqDb3x6y0JJ0Dkesh7B9UKlRspnWn1tt0f97VUqZKs9C4ZEKNxxqPwmzUmuGn1OjEIDe2CMnBivRE3UEp9Ivehqojvs43YohESJgehZMNWDf-rhKXvteWbxxNPeBjHlWZuCC6BKZ90yELy0dZwtrdXi12gswHYMsGi-aDoRLfMTPSvCNvAxxUKiTMtsQ", {"cert": "#,
            rsa_pem!(),
            r#", "alg": "PS256", "time": 1}]"#
        ),
        Some(r#"[false, {}, {}]"#),
    ),
    ("io.jwt.decode", r#"["e30.e30.AA"]"#, Some(r#"[{}, {}, "00"]"#)),
    ("io.jwt.decode", r#"["eyJlbmMiOiJhIn0.e30.AA"]"#, None),
    ("io.jwt.decode", r#"["e30.e30"]"#, None),
    ("io.jwt.decode", r#"["e30.W10.AA"]"#, None),
    (
        "io.jwt.encode_sign",
        r#"[{"alg": "HS256", "typ": "JWT"}, {"a": "<"}, {"kty": "oct", "k": "c2VjcmV0"}]"#,
        Some(
            r#""eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoiXHUwMDNjIn0.wZs49KGMEuUuTM1wzd82VkWlPvodWNbabu7FsW2cS6c""#,
        ),
    ),
    (
        "io.jwt.encode_sign_raw",
        r#"["{\"typ\":\"JWT\", \"alg\":\"HS256\"}", "{ }", "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}"]"#,
        Some(r#""eyJ0eXAiOiJKV1QiLCAiYWxnIjoiSFMyNTYifQ.eyB9.ozCqBp-AgV34v1ZENf0Kcn-oxG6xf2ESyaD5L5tpkB8""#),
    ),
    ("io.jwt.encode_sign", r#"[{"alg": "HS256"}, {}, {"kty": "RSA"}]"#, None),
    ("io.jwt.encode_sign", r#"[{"alg": "none"}, {}, {"kty": "oct", "k": "c2VjcmV0"}]"#, None),
    (
        "io.jwt.encode_sign_raw",
        r#"["{\"typ\":\"JWT\", \"alg\":\"HS256\"}", "text", "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}"]"#,
        None,
    ),
    (
        "io.jwt.encode_sign",
        concat!(r#"[{"alg": "RS256", "typ": "JWT"}, {"a": 1}, "#, rsa_private!(), r#"]"#),
        Some(
            r#""eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.IPXpmaDswlbs2agcaeLGHPj7DHMOeiVfsZ-rCx49i8kj9bnP786IDA1zsAeV3RdIRBwtRDmDdTgmubnTWUCjXZ7--mI58RSAaRzRCQV4tGpX6Fpamg0N3iAC603-szwAjtncqqlgQ_8E7alFnKVRROvkX3SqDb3x6y0JJ0Dkesh7B9UKlRspnWn1tt0f97VUqZKs9C4ZEKNxxqPwmzUmuGn1OjEIDe2CMnBivRE3UEp9Ivehqojvs43YohESJgehZMNWDf-rhKXvteWbxxNPeBjHlWZuCC6BKZ90yELy0dZwtrdXi12gswHYMsGi-aDoRLfMTPSvCNvAxxUKiTMtsQ""#,
        ),
    ),
];
