//! Private keys, requests for AWS, and patches.

use super::Case;

pub(super) const CASES: &[Case] = &[
    (
        "crypto.parse_private_keys",
        r#"["-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIOiUJXRDxjXQds9Y7exMl5aY1cSC6G6sG/CItwVTRQ7e\n-----END PRIVATE KEY-----\n"]"#,
        Some(
            r#"["6JQldEPGNdB2z1jt7EyXlpjVxILobqwb8Ii3BVNFDt6UokhIHbJhvhNCcNLTyaGU8VJeVn4uojkGwSLqOGJlsw=="]"#,
        ),
    ),
    (
        "crypto.parse_private_keys",
        r#"["LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JR0hBZ0VBTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSEJHMHdhd0lCQVFRZ3NwRjZWRnE3M2RFUDg2QTIKSW9YR1AxM0R3Q21NdGJ1Vk9kNGwvVWtsSEdXaFJBTkNBQVFwWUZIcFlQMDRPNnFpeUtyZktXUGZhWTd3QldPegprUUV6VjFlR2VJbGM2NVk0NndLL0x0TGk4dWZuWmVESmJWYm9wTUJYd0IzeG0xMk44UVdkYzc0eQotLS0tLUVORCBQUklWQVRFIEtFWS0tLS0tCi0tLS0tQkVHSU4gUFJJVkFURSBLRVktLS0tLQpNQzRDQVFBd0JRWURLMlZ3QkNJRUlPaVVKWFJEeGpYUWRzOVk3ZXhNbDVhWTFjU0M2RzZzRy9DSXR3VlRSUTdlCi0tLS0tRU5EIFBSSVZBVEUgS0VZLS0tLS0K"]"#,
        Some(
            r#"[{"Curve": {}, "D": 80768724159459501381515179209715997394702300099016162130285859056284900596837, "X": 18715009443468458827207658064064002989393098381191813065341302105509940780267, "Y": 67947492707562846787920553274525950999704936603564988091086345346947248012850}, "6JQldEPGNdB2z1jt7EyXlpjVxILobqwb8Ii3BVNFDt6UokhIHbJhvhNCcNLTyaGU8VJeVn4uojkGwSLqOGJlsw=="]"#,
        ),
    ),
    (
        "crypto.parse_private_keys",
        r#"["-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAwZtqN9y0VpGQ+wZ3s99usTzmEjRkHov3sVYS6/cuwQkvs0QU\ntiaZYZdDH39bVmguetZQn1uZMZA9kbtqCmPF9V4LP1EkoFxfyRdxq/toG77/fnA6\nCsDOqu0yRn9l9Ano5u4W7deMvfpnb1PvMOeHk788RPiCr+q6vCTUW1zS2+zCF/BM\nmxulgr7WQM9Dbd9yHVxdtWu1LiA97jefD4sOAE02jQX6KH3lGpPPQNm/G6kkonYe\nuj9MbKiLBbmIUhY7EXfsdSsLUQPHyvytaSlUGimjRYQN5mC5sVDZKV2nVWqnaiI5\nvlotCPQSux1Fh3WwMw6X3IKrE/s4y8lrLzOVewIDAQABAoIBABsLndvt3ddWAF3A\nuooLBUiHDFCwtue5f8FrF7uUzRg0M1Ckiwwi+jwyyDKnNNguN4f7VkncntrYnnE0\nMA0BgQ7Us1eF+0rXfJ33w25V8WYm2UQNY15LLtObzPEiLNjZZYqU6ekRulxzlW1s\n2TYIsdzG0yGDYaY3cRyFPJECt4X3H6bsmqgM3a0uKUScxLnLJATjeXKIgHNgQ5Fl\neTAMHFuXuLNeNsKfCK3z11ruhZeRllMQR1XJfstkSf5Efnqo/SvOKz2vj0v0596y\nfjh9E4Bs/P9jLQL0buEFweUoMsMPB6sVml/HVMqPYYk6y54j9QOPR7HDbXCMgTqi\nkp2IAjECgYEA6M8AjDXhuETZbWxdJ2IfSpfGyWtdiHSX8VzmF0HKuAUQOCOgsZCe\nJaDQnVRqKA1uhoAdsxkAfNH9KKeStCwzpkg9E7o/5xyNeLrNlSDACzrptWhQ82RS\n1Af0rep0CpyAn0qaFkQR9tVPL87M0hbRSRkLRInEyMf13xZbkmU98YkCgYEA1OS1\n4VE/Bgsl6ENRRY4W2DC7Lg6NRDBh74RJYIBXfeSHuvZ4fY89P1J88ZZeoUJuPXnv\nqQ/7p+ZrJI3mC7vdYoO7jvCyWW6JDH6ns3MEs9gMsHmeeEOLe6RAxIM5JA4tw/JO\n6etfQ+Ds1QlUl/1AWOj1OZ/GqJw4ThJ+urnV4eMCgYAWnTTyabF5UsbECEisMK3V\ncxTOL+2v+ZNg0KNREwT8BxHiQiOz29Zg1VQuVCrTpSpdSkiYQw93EHbE4jIv6jNC\nLbYxGmBmtLFRTuP1Xm8JKDnXc0CZw97/1Z4A3stS1Izx7C83hnkwPtwoSrA+oBTI\nQvSDPdatoi7R8rwGZmsz8QKBgA6tLbS4yyV5g0V9zo6C+yQwR9cm/aojw7ylXAGh\nF2cAaDMFZs0RIOHKp/5npWJsl/j4/QKkrW6nvd8pQSCx9NMjzbxO75ymuB/6Y0lF\ntp9HV6ia2cfksCr36dciTMAlkhYeED6kEU82pF0TZZeMx/DZLn6oeyOIkYEgWUg6\nI3qNAoGBAMJAJzHWxjocwnA4nvkfngZGCmTmtYAT+twdnNN56lmtQew5Tq5wkBju\nvSMJp1Bb/NzUyqnTNp+QnR19zB7uaIrtzslGrlc6jWoczQSomup3o8G/fZfJ9e57\ngVwUqfQy76kXH/FK+s1WCjWPwZf/Uzlppt/h0hczAifBK90pKWkN\n-----END RSA PRIVATE KEY-----\n"]"#,
        Some(
            r#"[{"D": 3414162611338496315074556081031088690309842848758624834963215813670495489764511351809987291474342542947304095118025040488223809499080846266152406268603730506284343450745158765871651764141107010723540658499434033452227607681324200008253749913837061114957680146615153862694227250623851535589324330424545376396455230836858715992875806789689020830359427588179291041855562477982005670031092140252212121482269079308599590187508267067194614703426476505060043853651205024581708989853150347820267539442573368479777888349001855453294929028072843187413387937876445133374364460665004370058488900996503048181930061676843121508913, "E": 65537, "N": 24440630809316333479086966890500760185345294459759038318840445087987248816242138772645673088077988775219821789377390177878396920059121946667922474016983362773386894236098904428064493901312477352461898867949471136030435906565914155755426106838136479988091915212312106903265054213450066421400059928239588239530022044671191886019787150127792108082766693227592427244459799123285219251341016143626226316761925351129707363214374999860536729289016985262306206808417481145797436682216570014244052423140664654216620047422742260874377855816904491852450223185354736755460348688110313488079538704466778667086460642269673899136379, "Precomputed": {"CRTValues": [], "Dp": 15880153447984638139529469172835462544163763399333934952932429418875195042078931100197240082032752003470231674096448228514369451447671774081659400123760325540423760207767664844263557403839712288161977425206357716688097740165141671202957108990828532101155089159610776271174111938447247282520506737967852368881, "Dq": 10306173806360675389438185057406813829389549093378761800716425902937952171292692426678627855120799542675058989488616060929269493348650646728926106703127379616764298423707450619053425520094703666223770814823807492166369855059134964216077518967032805674171779272856183081611413232866622892042719364111334079117, "Qinv": 136407408820892959893516753376401230633292052905748157235795709410466691670275548962371361008722996628526379219386626002125263020605006978309692176803132037795402351978206201167136806190187833873677562741669814862048059336824110227512404877755257861456487868028190158407639399601424429626744088381867053115661}, "Primes": [163483760056639841305426142189776580074907408404358795948842699783981096052894581764628734410333092687940397930452234928078264332316378425697410007211888227292295314598879901177898328868275718540570454683592376009831583662771424710277756841333950598227050122251556934414693335549798499081769784807759839883657, 149498829736046831119435664919714554656198069706233712291622931474290520462596100833828515657603328824323891322292038686392548646655714350304035027667742159792802528949649223377800873906694686625344680808124805580811726691237390028735961124511383130913721978354399218817965291952717986825100420311147521368547]}]"#,
        ),
    ),
    ("crypto.parse_private_keys", r#"[""]"#, Some(r#"null"#)),
    ("crypto.parse_private_keys", r#"["nothing"]"#, Some(r#"[]"#)),
    (
        "crypto.parse_private_keys",
        r#"["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]"#,
        None,
    ),
    (
        "crypto.x509.parse_rsa_private_key",
        r#"["-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIOiUJXRDxjXQds9Y7exMl5aY1cSC6G6sG/CItwVTRQ7e\n-----END PRIVATE KEY-----\n"]"#,
        Some(
            r#"{"crv": "Ed25519", "d": "6JQldEPGNdB2z1jt7EyXlpjVxILobqwb8Ii3BVNFDt4", "kty": "OKP", "x": "lKJISB2yYb4TQnDS08mhlPFSXlZ-LqI5BsEi6jhiZbM"}"#,
        ),
    ),
    (
        "crypto.x509.parse_rsa_private_key",
        r#"["-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIGjJL3VZ1Gy8Tb+HLVFwVWBRwi542GJzth344m1BaixAoAoGCCqGSM49\nAwEHoUQDQgAENYTmQ1QfXGXBb2m6zvUTM1VvO2JUa4RG6B8MqoZSq6IE0jxY66D1\ntHB6oexZojxo8sxUwY1ukHQ5MFi5dsVX7g==\n-----END EC PRIVATE KEY-----\n"]"#,
        Some(
            r#"{"crv": "P-256", "d": "aMkvdVnUbLxNv4ctUXBVYFHCLnjYYnO2HfjibUFqLEA", "kty": "EC", "x": "NYTmQ1QfXGXBb2m6zvUTM1VvO2JUa4RG6B8MqoZSq6I", "y": "BNI8WOug9bRweqHsWaI8aPLMVMGNbpB0OTBYuXbFV-4"}"#,
        ),
    ),
    (
        "crypto.x509.parse_rsa_private_key",
        r#"["-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAwZtqN9y0VpGQ+wZ3s99usTzmEjRkHov3sVYS6/cuwQkvs0QU\ntiaZYZdDH39bVmguetZQn1uZMZA9kbtqCmPF9V4LP1EkoFxfyRdxq/toG77/fnA6\nCsDOqu0yRn9l9Ano5u4W7deMvfpnb1PvMOeHk788RPiCr+q6vCTUW1zS2+zCF/BM\nmxulgr7WQM9Dbd9yHVxdtWu1LiA97jefD4sOAE02jQX6KH3lGpPPQNm/G6kkonYe\nuj9MbKiLBbmIUhY7EXfsdSsLUQPHyvytaSlUGimjRYQN5mC5sVDZKV2nVWqnaiI5\nvlotCPQSux1Fh3WwMw6X3IKrE/s4y8lrLzOVewIDAQABAoIBABsLndvt3ddWAF3A\nuooLBUiHDFCwtue5f8FrF7uUzRg0M1Ckiwwi+jwyyDKnNNguN4f7VkncntrYnnE0\nMA0BgQ7Us1eF+0rXfJ33w25V8WYm2UQNY15LLtObzPEiLNjZZYqU6ekRulxzlW1s\n2TYIsdzG0yGDYaY3cRyFPJECt4X3H6bsmqgM3a0uKUScxLnLJATjeXKIgHNgQ5Fl\neTAMHFuXuLNeNsKfCK3z11ruhZeRllMQR1XJfstkSf5Efnqo/SvOKz2vj0v0596y\nfjh9E4Bs/P9jLQL0buEFweUoMsMPB6sVml/HVMqPYYk6y54j9QOPR7HDbXCMgTqi\nkp2IAjECgYEA6M8AjDXhuETZbWxdJ2IfSpfGyWtdiHSX8VzmF0HKuAUQOCOgsZCe\nJaDQnVRqKA1uhoAdsxkAfNH9KKeStCwzpkg9E7o/5xyNeLrNlSDACzrptWhQ82RS\n1Af0rep0CpyAn0qaFkQR9tVPL87M0hbRSRkLRInEyMf13xZbkmU98YkCgYEA1OS1\n4VE/Bgsl6ENRRY4W2DC7Lg6NRDBh74RJYIBXfeSHuvZ4fY89P1J88ZZeoUJuPXnv\nqQ/7p+ZrJI3mC7vdYoO7jvCyWW6JDH6ns3MEs9gMsHmeeEOLe6RAxIM5JA4tw/JO\n6etfQ+Ds1QlUl/1AWOj1OZ/GqJw4ThJ+urnV4eMCgYAWnTTyabF5UsbECEisMK3V\ncxTOL+2v+ZNg0KNREwT8BxHiQiOz29Zg1VQuVCrTpSpdSkiYQw93EHbE4jIv6jNC\nLbYxGmBmtLFRTuP1Xm8JKDnXc0CZw97/1Z4A3stS1Izx7C83hnkwPtwoSrA+oBTI\nQvSDPdatoi7R8rwGZmsz8QKBgA6tLbS4yyV5g0V9zo6C+yQwR9cm/aojw7ylXAGh\nF2cAaDMFZs0RIOHKp/5npWJsl/j4/QKkrW6nvd8pQSCx9NMjzbxO75ymuB/6Y0lF\ntp9HV6ia2cfksCr36dciTMAlkhYeED6kEU82pF0TZZeMx/DZLn6oeyOIkYEgWUg6\nI3qNAoGBAMJAJzHWxjocwnA4nvkfngZGCmTmtYAT+twdnNN56lmtQew5Tq5wkBju\nvSMJp1Bb/NzUyqnTNp+QnR19zB7uaIrtzslGrlc6jWoczQSomup3o8G/fZfJ9e57\ngVwUqfQy76kXH/FK+s1WCjWPwZf/Uzlppt/h0hczAifBK90pKWkN\n-----END RSA PRIVATE KEY-----\n"]"#,
        Some(
            r#"{"d": "Gwud2-3d11YAXcC6igsFSIcMULC257l_wWsXu5TNGDQzUKSLDCL6PDLIMqc02C43h_tWSdye2tiecTQwDQGBDtSzV4X7Std8nffDblXxZibZRA1jXksu05vM8SIs2NllipTp6RG6XHOVbWzZNgix3MbTIYNhpjdxHIU8kQK3hfcfpuyaqAzdrS4pRJzEucskBON5coiAc2BDkWV5MAwcW5e4s142wp8IrfPXWu6Fl5GWUxBHVcl-y2RJ_kR-eqj9K84rPa-PS_Tn3rJ-OH0TgGz8_2MtAvRu4QXB5Sgyww8HqxWaX8dUyo9hiTrLniP1A49HscNtcIyBOqKSnYgCMQ", "dp": "Fp008mmxeVLGxAhIrDCt1XMUzi_tr_mTYNCjURME_AcR4kIjs9vWYNVULlQq06UqXUpImEMPdxB2xOIyL-ozQi22MRpgZrSxUU7j9V5vCSg513NAmcPe_9WeAN7LUtSM8ewvN4Z5MD7cKEqwPqAUyEL0gz3WraIu0fK8BmZrM_E", "dq": "Dq0ttLjLJXmDRX3OjoL7JDBH1yb9qiPDvKVcAaEXZwBoMwVmzREg4cqn_melYmyX-Pj9AqStbqe93ylBILH00yPNvE7vnKa4H_pjSUW2n0dXqJrZx-SwKvfp1yJMwCWSFh4QPqQRTzakXRNll4zH8Nkufqh7I4iRgSBZSDojeo0", "e": "AQAB", "kty": "RSA", "n": "wZtqN9y0VpGQ-wZ3s99usTzmEjRkHov3sVYS6_cuwQkvs0QUtiaZYZdDH39bVmguetZQn1uZMZA9kbtqCmPF9V4LP1EkoFxfyRdxq_toG77_fnA6CsDOqu0yRn9l9Ano5u4W7deMvfpnb1PvMOeHk788RPiCr-q6vCTUW1zS2-zCF_BMmxulgr7WQM9Dbd9yHVxdtWu1LiA97jefD4sOAE02jQX6KH3lGpPPQNm_G6kkonYeuj9MbKiLBbmIUhY7EXfsdSsLUQPHyvytaSlUGimjRYQN5mC5sVDZKV2nVWqnaiI5vlotCPQSux1Fh3WwMw6X3IKrE_s4y8lrLzOVew", "p": "6M8AjDXhuETZbWxdJ2IfSpfGyWtdiHSX8VzmF0HKuAUQOCOgsZCeJaDQnVRqKA1uhoAdsxkAfNH9KKeStCwzpkg9E7o_5xyNeLrNlSDACzrptWhQ82RS1Af0rep0CpyAn0qaFkQR9tVPL87M0hbRSRkLRInEyMf13xZbkmU98Yk", "q": "1OS14VE_Bgsl6ENRRY4W2DC7Lg6NRDBh74RJYIBXfeSHuvZ4fY89P1J88ZZeoUJuPXnvqQ_7p-ZrJI3mC7vdYoO7jvCyWW6JDH6ns3MEs9gMsHmeeEOLe6RAxIM5JA4tw_JO6etfQ-Ds1QlUl_1AWOj1OZ_GqJw4ThJ-urnV4eM", "qi": "wkAnMdbGOhzCcDie-R-eBkYKZOa1gBP63B2c03nqWa1B7DlOrnCQGO69IwmnUFv83NTKqdM2n5CdHX3MHu5oiu3OyUauVzqNahzNBKia6nejwb99l8n17nuBXBSp9DLvqRcf8Ur6zVYKNY_Bl_9TOWmm3-HSFzMCJ8Er3SkpaQ0"}"#,
        ),
    ),
    (
        "crypto.x509.parse_rsa_private_key",
        r#"["LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlFb3dJQkFBS0NBUUVBd1p0cU45eTBWcEdRK3daM3M5OXVzVHptRWpSa0hvdjNzVllTNi9jdXdRa3ZzMFFVCnRpYVpZWmRESDM5YlZtZ3VldFpRbjF1Wk1aQTlrYnRxQ21QRjlWNExQMUVrb0Z4ZnlSZHhxL3RvRzc3L2ZuQTYKQ3NET3F1MHlSbjlsOUFubzV1NFc3ZGVNdmZwbmIxUHZNT2VIazc4OFJQaUNyK3E2dkNUVVcxelMyK3pDRi9CTQpteHVsZ3I3V1FNOURiZDl5SFZ4ZHRXdTFMaUE5N2plZkQ0c09BRTAyalFYNktIM2xHcFBQUU5tL0c2a2tvblllCnVqOU1iS2lMQmJtSVVoWTdFWGZzZFNzTFVRUEh5dnl0YVNsVUdpbWpSWVFONW1DNXNWRFpLVjJuVldxbmFpSTUKdmxvdENQUVN1eDFGaDNXd013NlgzSUtyRS9zNHk4bHJMek9WZXdJREFRQUJBb0lCQUJzTG5kdnQzZGRXQUYzQQp1b29MQlVpSERGQ3d0dWU1ZjhGckY3dVV6UmcwTTFDa2l3d2krand5eURLbk5OZ3VONGY3VmtuY250cllubkUwCk1BMEJnUTdVczFlRiswclhmSjMzdzI1VjhXWW0yVVFOWTE1TEx0T2J6UEVpTE5qWlpZcVU2ZWtSdWx4emxXMXMKMlRZSXNkekcweUdEWWFZM2NSeUZQSkVDdDRYM0g2YnNtcWdNM2EwdUtVU2N4TG5MSkFUamVYS0lnSE5nUTVGbAplVEFNSEZ1WHVMTmVOc0tmQ0szejExcnVoWmVSbGxNUVIxWEpmc3RrU2Y1RWZucW8vU3ZPS3oydmowdjA1OTZ5CmZqaDlFNEJzL1A5akxRTDBidUVGd2VVb01zTVBCNnNWbWwvSFZNcVBZWWs2eTU0ajlRT1BSN0hEYlhDTWdUcWkKa3AySUFqRUNnWUVBNk04QWpEWGh1RVRaYld4ZEoySWZTcGZHeVd0ZGlIU1g4VnptRjBIS3VBVVFPQ09nc1pDZQpKYURRblZScUtBMXVob0Fkc3hrQWZOSDlLS2VTdEN3enBrZzlFN28vNXh5TmVMck5sU0RBQ3pycHRXaFE4MlJTCjFBZjByZXAwQ3B5QW4wcWFGa1FSOXRWUEw4N00waGJSU1JrTFJJbkV5TWYxM3haYmttVTk4WWtDZ1lFQTFPUzEKNFZFL0Jnc2w2RU5SUlk0VzJEQzdMZzZOUkRCaDc0UkpZSUJYZmVTSHV2WjRmWTg5UDFKODhaWmVvVUp1UFhudgpxUS83cCtackpJM21DN3ZkWW9PN2p2Q3lXVzZKREg2bnMzTUVzOWdNc0htZWVFT0xlNlJBeElNNUpBNHR3L0pPCjZldGZRK0RzMVFsVWwvMUFXT2oxT1ovR3FKdzRUaEordXJuVjRlTUNnWUFXblRUeWFiRjVVc2JFQ0Vpc01LM1YKY3hUT0wrMnYrWk5nMEtOUkV3VDhCeEhpUWlPejI5WmcxVlF1VkNyVHBTcGRTa2lZUXc5M0VIYkU0akl2NmpOQwpMYll4R21CbXRMRlJUdVAxWG04SktEblhjMENadzk3LzFaNEEzc3RTMUl6eDdDODNobmt3UHR3b1NyQStvQlRJClF2U0RQZGF0b2k3Ujhyd0dabXN6OFFLQmdBNnRMYlM0eXlWNWcwVjl6bzZDK3lRd1I5Y20vYW9qdzd5bFhBR2gKRjJjQWFETUZaczBSSU9IS3AvNW5wV0pzbC9qNC9RS2tyVzZudmQ4cFFTQ3g5Tk1qemJ4Tzc1eW11Qi82WTBsRgp0cDlIVjZpYTJjZmtzQ3IzNmRjaVRNQWxraFllRUQ2a0VVODJwRjBUWlplTXgvRFpMbjZvZXlPSWtZRWdXVWc2CkkzcU5Bb0dCQU1KQUp6SFd4am9jd25BNG52a2ZuZ1pHQ21UbXRZQVQrdHdkbk5ONTZsbXRRZXc1VHE1d2tCanUKdlNNSnAxQmIvTnpVeXFuVE5wK1FuUjE5ekI3dWFJcnR6c2xHcmxjNmpXb2N6UVNvbXVwM284Ry9mWmZKOWU1NwpnVndVcWZReTc2a1hIL0ZLK3MxV0NqV1B3WmYvVXpscHB0L2gwaGN6QWlmQks5MHBLV2tOCi0tLS0tRU5EIFJTQSBQUklWQVRFIEtFWS0tLS0tCg=="]"#,
        Some(
            r#"{"d": "Gwud2-3d11YAXcC6igsFSIcMULC257l_wWsXu5TNGDQzUKSLDCL6PDLIMqc02C43h_tWSdye2tiecTQwDQGBDtSzV4X7Std8nffDblXxZibZRA1jXksu05vM8SIs2NllipTp6RG6XHOVbWzZNgix3MbTIYNhpjdxHIU8kQK3hfcfpuyaqAzdrS4pRJzEucskBON5coiAc2BDkWV5MAwcW5e4s142wp8IrfPXWu6Fl5GWUxBHVcl-y2RJ_kR-eqj9K84rPa-PS_Tn3rJ-OH0TgGz8_2MtAvRu4QXB5Sgyww8HqxWaX8dUyo9hiTrLniP1A49HscNtcIyBOqKSnYgCMQ", "dp": "Fp008mmxeVLGxAhIrDCt1XMUzi_tr_mTYNCjURME_AcR4kIjs9vWYNVULlQq06UqXUpImEMPdxB2xOIyL-ozQi22MRpgZrSxUU7j9V5vCSg513NAmcPe_9WeAN7LUtSM8ewvN4Z5MD7cKEqwPqAUyEL0gz3WraIu0fK8BmZrM_E", "dq": "Dq0ttLjLJXmDRX3OjoL7JDBH1yb9qiPDvKVcAaEXZwBoMwVmzREg4cqn_melYmyX-Pj9AqStbqe93ylBILH00yPNvE7vnKa4H_pjSUW2n0dXqJrZx-SwKvfp1yJMwCWSFh4QPqQRTzakXRNll4zH8Nkufqh7I4iRgSBZSDojeo0", "e": "AQAB", "kty": "RSA", "n": "wZtqN9y0VpGQ-wZ3s99usTzmEjRkHov3sVYS6_cuwQkvs0QUtiaZYZdDH39bVmguetZQn1uZMZA9kbtqCmPF9V4LP1EkoFxfyRdxq_toG77_fnA6CsDOqu0yRn9l9Ano5u4W7deMvfpnb1PvMOeHk788RPiCr-q6vCTUW1zS2-zCF_BMmxulgr7WQM9Dbd9yHVxdtWu1LiA97jefD4sOAE02jQX6KH3lGpPPQNm_G6kkonYeuj9MbKiLBbmIUhY7EXfsdSsLUQPHyvytaSlUGimjRYQN5mC5sVDZKV2nVWqnaiI5vlotCPQSux1Fh3WwMw6X3IKrE_s4y8lrLzOVew", "p": "6M8AjDXhuETZbWxdJ2IfSpfGyWtdiHSX8VzmF0HKuAUQOCOgsZCeJaDQnVRqKA1uhoAdsxkAfNH9KKeStCwzpkg9E7o_5xyNeLrNlSDACzrptWhQ82RS1Af0rep0CpyAn0qaFkQR9tVPL87M0hbRSRkLRInEyMf13xZbkmU98Yk", "q": "1OS14VE_Bgsl6ENRRY4W2DC7Lg6NRDBh74RJYIBXfeSHuvZ4fY89P1J88ZZeoUJuPXnvqQ_7p-ZrJI3mC7vdYoO7jvCyWW6JDH6ns3MEs9gMsHmeeEOLe6RAxIM5JA4tw_JO6etfQ-Ds1QlUl_1AWOj1OZ_GqJw4ThJ-urnV4eM", "qi": "wkAnMdbGOhzCcDie-R-eBkYKZOa1gBP63B2c03nqWa1B7DlOrnCQGO69IwmnUFv83NTKqdM2n5CdHX3MHu5oiu3OyUauVzqNahzNBKia6nejwb99l8n17nuBXBSp9DLvqRcf8Ur6zVYKNY_Bl_9TOWmm3-HSFzMCJ8Er3SkpaQ0"}"#,
        ),
    ),
    ("crypto.x509.parse_rsa_private_key", r#"[""]"#, None),
    ("crypto.x509.parse_rsa_private_key", r#"["?"]"#, None),
    (
        "crypto.x509.parse_rsa_private_key",
        r#"["-----BEGIN X-----\nAAAA\n-----END X-----\n"]"#,
        Some(r#"null"#),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"method": "get", "url": "https://examplebucket.s3.amazonaws.com/a%20b?x=1"}, {"aws_service": "s3", "aws_access_key": "AKIDEXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "aws_region": "us-east-1"}, 1440938160000000000]"#,
        Some(
            r#"{"headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=99daf74346ff33ba2c2085b1912118ff6c6eea21ca3181673e173527da4c5418", "host": "examplebucket.s3.amazonaws.com", "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "x-amz-date": "20150830T123600Z"}, "method": "get", "url": "https://examplebucket.s3.amazonaws.com/a%20b?x=1"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"method": "post", "url": "http://example.com", "headers": {"X-A": "1", "User-Agent": "x", "n": [1]}, "body": {"b": [1, "<"]}}, {"aws_service": "ec2", "aws_access_key": "AKIDEXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "aws_region": "us-east-1", "aws_session_token": "tok"}, 1440938160000000000]"#,
        Some(
            r#"{"body": {"b": [1, "<"]}, "headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/ec2/aws4_request,SignedHeaders=host;n;x-a;x-amz-date;x-amz-security-token,Signature=dca6a0c38c5859ffcfaa2517a5c6ef55d2aa9b9ca00d59fabbb62925c6c37ece", "User-Agent": "x", "X-A": "1", "host": "example.com", "n": "", "x-amz-date": "20150830T123600Z", "x-amz-security-token": "tok"}, "method": "post", "url": "http://example.com"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"method": "put", "url": "https://example.com/é", "raw_body": "raw"}, {"aws_service": "s3", "aws_access_key": "AKIDEXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "aws_region": "us-east-1", "disable_payload_signing": true}, 1440938160000000000]"#,
        Some(
            r#"{"headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=eaf66eb1768d852a2fb19156513d158113c0f7d59849f3b25e5e6d050f166047", "host": "example.com", "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": "20150830T123600Z"}, "method": "put", "raw_body": "raw", "url": "https://example.com/é"}"#,
        ),
    ),
    (
        "providers.aws.sign_req",
        r#"[{"method": "put", "url": "https://example.com/", "extra": 1}, {"aws_service": "s3", "aws_access_key": "AKIDEXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "aws_region": "us-east-1"}, 1440938160000000000]"#,
        None,
    ),
    (
        "providers.aws.sign_req",
        r#"[{"method": "put"}, {"aws_service": "s3", "aws_access_key": "AKIDEXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "aws_region": "us-east-1"}, 1440938160000000000]"#,
        None,
    ),
    (
        "providers.aws.sign_req",
        r#"[{"method": "put", "url": "https://example.com/"}, {"aws_service": "s3"}, 1440938160000000000]"#,
        None,
    ),
    (
        "providers.aws.sign_req",
        r#"[{"method": "put", "url": "https://example.com/"}, {"aws_service": "s3", "aws_access_key": "AKIDEXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "aws_region": "us-east-1", "disable_payload_signing": 1}, 1440938160000000000]"#,
        None,
    ),
    (
        "json.patch",
        r#"[{"a": [1, 2, {"b": 3}]}, [{"op": "add", "path": "/a/1", "value": 9}, {"op": "remove", "path": "a/0"}, {"op": "replace", "path": "a/2/b", "value": {"c": 1}}]]"#,
        Some(r#"{"a": [9, 2, {"b": {"c": 1}}]}"#),
    ),
    (
        "json.patch",
        r#"[{"a/b": {"~": 1}, "d": []}, [{"op": "move", "from": "/a~1b/~0", "path": "/d/-"}, {"op": "copy", "from": "/d", "path": "/e"}, {"op": "test", "path": "/e/0", "value": 1}]]"#,
        Some(r#"{"a/b": {}, "d": [1], "e": [1]}"#),
    ),
    ("json.patch", r#"[{"a": 1}, [{"op": "test", "path": "/a", "value": 2}]]"#, None),
    ("json.patch", r#"[{"a": 1}, [{"op": "remove", "path": "/b"}]]"#, None),
    ("json.patch", r#"[[1], [{"op": "add", "path": "/3", "value": 2}]]"#, None),
    ("json.patch", r#"[[1], [{"op": "add", "path": "/01", "value": 2}]]"#, None),
    ("json.patch", r#"[[1], [{"op": "add", "path": ["-"], "value": 2}]]"#, Some(r#"[1, 2]"#)),
    ("json.patch", r#"[{"a": 1}, [{"op": "replace", "path": "", "value": 7}]]"#, Some(r#"7"#)),
    ("json.patch", r#"[{"a": 1}, [{"op": "add", "path": "/a/b", "value": 7}]]"#, None),
    ("json.patch", r#"[{"a": 1}, [{"op": "what", "path": "/a"}]]"#, None),
    ("json.patch", r#"[{"a": 1}, [{"path": "/a"}]]"#, None),
    ("json.patch", r#"[{"a": 1}, []]"#, Some(r#"{"a": 1}"#)),
    (
        "json.patch",
        r#"[{"s": {1, {"a": 2}}}, [{"op": "add", "path": ["s", 3], "value": 3}, {"op": "remove", "path": ["s", 1]}]]"#,
        Some(r#"{"s": {3, {"a": 2}}}"#),
    ),
    ("json.patch", r#"[{"s": {1}}, [{"op": "add", "path": ["s", 3], "value": 4}]]"#, None),
];
