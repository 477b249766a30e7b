use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::explain::Factor;
use crate::run::WafEvidence;
use crate::waf_log::{Action, RuleHit};

fn hit(id: &str, variable: &str, severity: &str) -> RuleHit {
    RuleHit {
        id: (!id.is_empty()).then(|| id.to_owned()),
        message: if id.is_empty() { "Request body is larger than the limit".into() } else { "m".into() },
        phase: Some(2),
        variable: (!variable.is_empty()).then(|| variable.to_owned()),
        data: None,
        severity: (!severity.is_empty()).then(|| severity.to_owned()),
        crs: !id.starts_with("2000"),
        action: if id.starts_with("2000") { Action::Refused } else { Action::NonDisruptive },
    }
}

fn place(path: &str) -> Place {
    Place { host: "form.example.jp".into(), method: "POST".into(), path: place::Path::new(path) }
}

fn refused(case: &str, hits: Vec<RuleHit>) -> Refusal {
    let evidence = WafEvidence { rules: hits, ..WafEvidence::default() };
    let fields = ["file", "memo", "法人名"].map(|name| name.as_bytes().to_vec());
    Refusal::new(CaseId::parse(case).unwrap(), place("/apply/upload"), Some(&evidence), &fields)
}

fn suggested(refusals: &[Refusal]) -> Suggestion {
    let mut suggestion = Suggestion::default();
    suggestion.add(refusals);
    suggestion
}

fn told(suggestion: &Suggestion) -> Vec<String> {
    let target = |target: &Option<Target>| match target {
        None => "the rule".to_owned(),
        Some(Target { variable, key: Key::None }) => variable.clone(),
        Some(Target { variable, key: Key::Name(name) }) => format!("{variable}:{}", String::from_utf8_lossy(name)),
        Some(Target { variable, key: Key::Unreadable }) => format!("{variable}:?"),
    };
    suggestion.exclusions.iter().map(|it| format!("{} {} {}", it.rule, target(&it.target), it.cases.len())).collect()
}

const SCORE: (&str, &str, &str) = ("949110", "TX:ANOMALY_SCORE", "CRITICAL");

fn score() -> RuleHit {
    hit(SCORE.0, SCORE.1, SCORE.2)
}

#[test]
fn cases_of_one_rule_and_one_part_share_an_exclusion_and_the_score_gets_none() {
    let suggestion = suggested(&[
        refused("pdf/a", vec![hit("920120", "FILES:file", "CRITICAL"), score()]),
        refused("pdf/b", vec![hit("920120", "FILES:file", "CRITICAL"), hit("980130", "TX:x", "NOTICE"), score()]),
        refused(
            "pdf/c",
            vec![hit("941310", "ARGS:\\xe6\\xb3\\x95\\xe4\\xba\\xba\\xe5\\x90\\x8d", "CRITICAL"), score()],
        ),
    ]);
    assert_eq!(told(&suggestion), ["920120 FILES:file 2", "941310 ARGS:法人名 1"]);
    assert!(suggestion.unsolved.is_empty());
}

#[test]
fn of_rules_that_add_points_only_the_heaviest_are_excluded_until_the_rest_is_below_the_threshold() {
    let light =
        || vec![hit("920350", "REQUEST_HEADERS:Host", "WARNING"), hit("920120", "FILES:file", "CRITICAL"), score()];
    assert_eq!(told(&suggested(&[refused("pdf/a", light())])), ["920120 FILES:file 1"]);
    let three = [light(), vec![hit("921150", "ARGS_NAMES:memo", "WARNING")]].concat();
    let both = suggested(&[refused("pdf/a", three)]);
    assert_eq!(both.exclusions.len(), 2, "3 + 3 points are still enough: {:?}", told(&both));
    let alone =
        vec![hit("200004", "MULTIPART_UNMATCHED_BOUNDARY", ""), hit("920350", "REQUEST_HEADERS:Host", "WARNING")];
    assert_eq!(told(&suggested(&[refused("pdf/a", alone)])), ["200004 MULTIPART_UNMATCHED_BOUNDARY 1"]);
    let low = vec![hit("920350", "REQUEST_HEADERS:Host", "WARNING"), score()];
    assert_eq!(told(&suggested(&[refused("pdf/a", low)])), ["920350 REQUEST_HEADERS:Host 1"], "a lower threshold");
}

#[test]
fn where_only_the_score_a_limit_or_nothing_is_known_it_says_why_there_is_no_exclusion() {
    let suggestion = suggested(&[
        refused("pdf/score", vec![score()]),
        refused("pdf/limit", vec![hit("", "", "")]),
        refused("pdf/silent", Vec::new()),
        refused("pdf/odd", vec![hit("1 deny", "FILES:file", "CRITICAL")]),
    ]);
    assert!(suggestion.exclusions.is_empty());
    let whys: Vec<&str> = suggestion.unsolved.iter().map(|it| it.why.as_str()).collect();
    assert!(whys[0].contains("only the rule that adds up the score is known (949110)"), "{whys:?}");
    assert!(whys[1].contains("Request body is larger") && whys[1].contains("SecRequestBodyLimit"), "{whys:?}");
    assert!(whys[2].contains("--waf-log") && whys[2].contains("--rule"), "{whys:?}");
    assert!(whys[3].contains("no rule refuses it (1 deny)"), "{whys:?}");
}

#[test]
fn an_exclusion_that_does_not_help_becomes_wider_step_by_step_and_then_is_given_up() {
    let refusals = [refused("pdf/a", vec![hit("941310", "ARGS:memo", "CRITICAL")])];
    let mut suggestion = suggested(&refusals);
    assert_eq!(told(&suggestion), ["941310 ARGS:memo 1"]);
    assert!(suggestion.add(&refusals));
    assert_eq!(told(&suggestion), ["941310 ARGS 1"]);
    assert!(suggestion.add(&refusals));
    assert_eq!(told(&suggestion), ["941310 the rule 1"]);
    assert!(!suggestion.add(&refusals), "there is nothing wider");
    assert!(suggestion.unsolved[0].why.contains("left out on this path"), "{:?}", suggestion.unsolved);
}

#[test]
fn a_wider_exclusion_takes_the_place_of_narrower_ones_and_another_rule_is_added() {
    let (a, b) = (
        refused("pdf/a", vec![hit("941310", "ARGS:memo", "CRITICAL")]),
        refused("pdf/b", vec![hit("941310", "ARGS:法人名", "CRITICAL")]),
    );
    let mut suggestion = suggested(&[a.clone(), b]);
    assert_eq!(told(&suggestion), ["941310 ARGS:memo 1", "941310 ARGS:法人名 1"]);
    let next = refused("pdf/a", vec![hit("941310", "ARGS:memo", "CRITICAL"), hit("920120", "FILES:file", "CRITICAL")]);
    assert!(suggestion.add(&[next]));
    let mut told = told(&suggestion);
    told.sort();
    assert_eq!(told, ["920120 FILES:file 1", "941310 ARGS 2"]);
}

#[test]
fn a_rule_without_a_part_is_taken_to_look_at_the_one_that_all_others_name() {
    let mut hits = vec![hit("941100", "", "CRITICAL"), hit("941110", "ARGS:memo", "CRITICAL")];
    let mut both = told(&suggested(&[refused("pdf/a", hits.clone())]));
    both.sort();
    assert_eq!(both, ["941100 ARGS:memo 1", "941110 ARGS:memo 1"]);
    hits.push(hit("920120", "FILES:file", "CRITICAL"));
    assert!(told(&suggested(&[refused("pdf/a", hits)])).contains(&"941100 the rule 1".to_owned()));
}

#[test]
fn what_explain_blames_is_held_against_what_the_rule_looks_at() {
    let with = |factors: Vec<Factor>| {
        let mut refusal = refused("pdf/a", vec![hit("920120", "FILES:file", "CRITICAL")]);
        refusal.factors = Some(factors);
        suggested(&[refusal]).exclusions.remove(0)
    };
    assert!(with(vec![Factor::Content, Factor::Stem]).why().contains("`explain` blames the same part in 1"));
    let other = with(vec![Factor::Size]);
    assert_eq!(other.disagree.len(), 1);
    assert!(other.why().contains("look again: `explain` blames the size"), "{}", other.why());
}

#[test]
fn a_name_is_found_again_however_the_log_shows_it() {
    let sjis = vec![0x96, 0x40, 0x90, 0x6c];
    let long = "備考欄の内容をここに書いてください".as_bytes().to_vec();
    let fields = [b"memo".to_vec(), sjis.clone(), long.clone()];
    let key = |logged: &str| Target::parse(logged, &fields).unwrap().key;
    assert_eq!(key("ARGS:memo"), Key::Name(b"memo".to_vec()));
    assert_eq!(key("ARGS:\\x96@\\x90l"), Key::Name(sjis.clone()));
    assert_eq!(key("ARGS:\u{fffd}@\u{fffd}l"), Key::Name(sjis));
    assert_eq!(key("ARGS:\\xe5\\x82\\x99\\xe8\\x80…"), Key::Name(long));
    assert_eq!(key("ARGS:f:j_1"), Key::Name(b"f:j_1".to_vec()));
    assert_eq!(key("ARGS:\u{fffd}x"), Key::Unreadable);
    assert_eq!(key("ARGS:"), Key::Unreadable);
    assert_eq!(key("request_body"), Key::None);
    for none in ["TX:0", "MATCHED_VARS:x", "", "FILES;x", "ARGS|FILES"] {
        assert_eq!(Target::parse(none, &fields), None, "{none}");
    }
}

#[test]
fn a_vendors_log_names_rules_its_own_way_and_each_language_takes_them() {
    let of = |id: &str, variable: &str, action: Action| RuleHit { action, crs: false, ..hit(id, variable, "") };
    let aws = suggested(&[refused(
        "pdf/a",
        vec![of("SizeRestrictions_BODY", "BODY", Action::Refused), of("label-only", "", Action::NonDisruptive)],
    )]);
    assert_eq!(told(&aws), ["SizeRestrictions_BODY BODY 1"], "a rule that only counts is left alone");
    assert!(aws.snippet(Language::AwsWaf, 1).text.contains("core-rule-set:SizeRestrictions_Body"));
    let armor = suggested(&[refused("pdf/a", vec![of("owasp-crs-v042200-id941310-xss", "", Action::Refused)])]);
    let text = armor.snippet(Language::CloudArmor, 1).text;
    assert!(text.contains(r#"evaluatePreconfiguredWaf("xss-v422-stable""#), "{text}");
    assert!(text.contains(r#""opt_out_rule_ids": ["owasp-crs-v042200-id941310-xss"]"#), "{text}");
    let door = suggested(&[refused("pdf/a", vec![of("941310", "PostParamValue:memo", Action::Refused)])]);
    assert_eq!(told(&door), ["941310 ARGS:memo 1"]);
    let score = suggested(&[refused("pdf/a", vec![of("6179ae15870a4bb7b2d480d4843b323c", "", Action::Refused)])]);
    assert!(score.unsolved[0].why.contains("only the rule that adds up the score"), "{score:?}");
}

#[test]
fn a_filename_is_only_excluded_where_it_holds_no_other_signs_than_those_of_the_cases() {
    let named = |case: &str, name: &str| {
        let refusal = refused(case, vec![hit("920120", "FILES:file", "CRITICAL")]);
        Refusal { upload: Upload { filename: name.as_bytes().to_vec(), ..Upload::default() }, ..refusal }
    };
    let suggestion = suggested(&[named("pdf/a", "O'Brien 表 (1).pdf"), named("pdf/b", "a=b.pdf")]);
    let snippet = suggestion.snippet(Language::ModSecurity(Engine::Three), 90_001);
    let signs = &suggestion.exclusions[0].signs;
    assert!(snippet.text.contains(&format!("SecRule FILES:file \"@rx {}\"", signs.others())), "{}", snippet.text);
    for (name, same) in [("O'Hara.pdf", true), ("y=z.pdf", true), ("a;b.asp", false), ("x' OR y.pdf", false)] {
        assert_eq!(signs.allow(name.as_bytes()), same, "{name}");
    }
    assert!(snippet.opens[0].contains("of other signs only as here") && snippet.opens[0].contains(": a'a  a=a"));
    assert_eq!(directives(&snippet.text).len(), 6);
    assert!(snippet.text.contains("id:90001,phase:2") && snippet.text.contains("id:90002,phase:2"), "{}", snippet.text);
}

#[test]
fn a_rule_on_errors_in_reading_is_kept_for_other_errors_and_other_part_headers() {
    let read_wrongly = |case: &str, error: &str, disposition: &str| {
        let said =
            RuleHit { data: crate::waf_log::MatchedData::new(error), ..hit("200002", "REQBODY_ERROR", "CRITICAL") };
        let dispositions = vec![disposition.as_bytes().to_vec()];
        Refusal { upload: Upload { dispositions, ..Upload::default() }, ..refused(case, vec![said]) }
    };
    let mut suggestion =
        suggested(&[read_wrongly("pdf/a", "Multipart: Final boundary missing. (-1)", " form-data; x*=a")]);
    let three = directives(&suggestion.snippet(Language::ModSecurity(Engine::Three), 90_001).text);
    assert_eq!(three.len(), 10, "{three:#?}");
    assert!(three[1].ends_with(r#""t:none,ctl:ruleRemoveTargetById=200002;REQBODY_ERROR""#), "{three:#?}");
    assert!(three[2].contains("id:90002,phase:2,deny,status:400") && three[6].contains("id:90003"), "{three:#?}");
    assert!(three[6].starts_with("SecRule REQBODY_ERROR "), "{three:#?}");
    assert!(three[5].contains(r#"REQBODY_ERROR_MSG "!@rx ^(?:Multipart: Final boundary missing\. )""#), "{three:#?}");
    assert!(three[9].contains(r"REQUEST_BODY") && three[9].contains(&suggestion.exclusions[0].signs.others()));
    let two = suggestion.snippet(Language::ModSecurity(Engine::Two), 90_001);
    assert!(!two.text.contains("REQUEST_BODY"), "it has none of a form: {}", two.text);
    // Our own rule speaks for the one that it keeps, and its case is taken in before anything gets wider.
    let ours = |case: &str| {
        let said = hit("90002", "REQBODY_ERROR_MSG", "CRITICAL");
        let kept = RuleHit { message: "kept of rule 200002: REQBODY_ERROR".into(), ..said };
        refused(case, vec![RuleHit { data: crate::waf_log::MatchedData::new("Multipart: Nul byte"), ..kept }])
    };
    assert!(suggestion.add(&[ours("pdf/b")]));
    assert_eq!(told(&suggestion), ["200002 REQBODY_ERROR 2"]);
    assert_eq!(suggestion.exclusions[0].errors.len(), 2);
    assert!(suggestion.add(&[ours("pdf/b")]));
    assert_eq!(told(&suggestion), ["200002 the rule 2"], "nothing is narrower");
}

#[test]
fn a_rule_on_strict_errors_is_kept_for_the_other_flags() {
    let said = "Multipart request body failed strict validation: PE 0, BQ 1, BW 0, DB 0, DA 0, HF 0, LF 0, SM 0, IQ 0, IP 0, IH 0, FL 0";
    let strict = |case: &str, message: &str, variable: &str| {
        refused(case, vec![RuleHit { message: message.into(), ..hit("200003", variable, "CRITICAL") }])
    };
    let mut suggestion = suggested(&[strict("pdf/a", said, "MULTIPART_STRICT_ERROR")]);
    let text = suggestion.snippet(Language::ModSecurity(Engine::Two), 90_001).text;
    let kept = directives(&text);
    let others = kept.iter().find(|line| line.contains("MULTIPART_INVALID_QUOTING|")).unwrap();
    assert!(others.ends_with(r#" "!@eq 0" "t:none""#) && !others.contains("MULTIPART_BOUNDARY_QUOTED"), "{others}");
    assert!(text.contains("for other flags than MULTIPART_BOUNDARY_QUOTED"), "{text}");
    // Our own rule tells the flags as well.
    let ours =
        "kept of rule 200003: MULTIPART_STRICT_ERROR, BQ 0, BW 0, DB 0, DA 0, HF 0, LF 1, SM 0, IQ 0, IP 0, IH 0, FL 0";
    assert!(suggestion.add(&[strict("pdf/b", ours, "MULTIPART_LF_LINE")]));
    assert_eq!(told(&suggestion), ["200003 MULTIPART_STRICT_ERROR 2"]);
    let flags: Vec<&str> = suggestion.exclusions[0].flags.iter().copied().collect();
    assert_eq!(flags, ["MULTIPART_BOUNDARY_QUOTED", "MULTIPART_LF_LINE"]);
    let forged = "kept of rule 949110: TX";
    let forged = suggested(&[strict("pdf/c", forged, "MULTIPART_STRICT_ERROR")]);
    assert_eq!(forged.exclusions[0].rule, "200003", "never the rule that adds up the score");
}

#[test]
fn a_size_that_no_rule_refuses_raises_the_limit_on_bodies() {
    let long = |case: &str, body: u64| {
        let refusal = refused(case, Vec::new());
        Refusal { upload: Upload { body, ..Upload::default() }, factors: Some(vec![Factor::Size]), ..refusal }
    };
    let mut suggestion = suggested(&[long("jpeg/a", 13_107_201), long("jpeg/b", 13_631_488)]);
    assert_eq!((suggestion.len(), suggestion.limits[0].bytes), (1, 14_680_064));
    let three = suggestion.snippet(Language::ModSecurity(Engine::Three), 90_001);
    assert_eq!(directives(&three.text), ["SecRequestBodyLimit 14680064"]);
    let two = suggestion.snippet(Language::ModSecurity(Engine::Two), 90_001);
    assert!(directives(&two.text)[1].contains("ctl:requestBodyLimit=14680064"), "{}", two.text);
    let cloud = suggestion.snippet(Language::AwsWaf, 1);
    assert!(cloud.left_out[0].contains("let bodies to POST /apply/upload have 14680064 bytes"), "{:?}", cloud.left_out);
    suggestion.keep_taking(20 << 20);
    assert_eq!(suggestion.limits[0].bytes, 21 << 20, "what gets through already must go on doing so");
    for _ in 0..2 {
        assert!(!suggestion.add(&[long("jpeg/a", 13_107_201)]));
        assert!(suggestion.limits.is_empty(), "what does not help is not suggested");
        assert!(suggestion.unsolved[0].why.contains("client_max_body_size"), "{:?}", suggestion.unsolved);
    }
    let put = |refusal: Refusal| Refusal { place: Place { method: "PUT".into(), ..refusal.place.clone() }, ..refusal };
    let both = suggested(&[long("jpeg/a", 20 << 20), put(long("jpeg/b", 1 << 20))]);
    let text = both.snippet(Language::ModSecurity(Engine::Three), 90_001).text;
    assert_eq!(directives(&text), ["SecRequestBodyLimit 22020096"], "the last of two would count");
    let both = Refusal { factors: Some(vec![Factor::Size, Factor::Content]), ..refused("jpeg/c", Vec::new()) };
    assert!(suggested(&[both]).limits.is_empty(), "not the size alone");
}

/// The directives of a snippet: its lines without comments, continued lines joined.
fn directives(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    code.join("\n")
        .replace(" \\\n", " ")
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn modsecurity_names_a_field_where_the_engine_can_and_says_where_it_can_not() {
    let suggestion = suggested(&[refused("pdf/c", vec![hit("941310", "ARGS:法人名", "CRITICAL")])]);
    let three = suggestion.snippet(Language::ModSecurity(Engine::Three), 90_001);
    assert_eq!(
        directives(&three.text),
        [
            r#"SecRule REQUEST_FILENAME "@streq /apply/upload" "id:90001,phase:1,pass,nolog,t:none,chain""#,
            r#"SecRule REQUEST_METHOD "@streq POST" "t:none,ctl:ruleRemoveTargetById=941310;ARGS""#,
        ]
    );
    assert!(three.text.contains("the field `法人名` can't be named here, so all of ARGS is excluded on this path."));
    assert!(three.text.contains(r#"SecRuleUpdateTargetById 941310 "!ARGS:/^\xe6\xb3\x95\xe4\xba\xba\xe5\x90\x8d$/""#));
    assert!(three.opens[0].contains("the text of the field, whichever it is"), "{:?}", three.opens);
    let two = suggestion.snippet(Language::ModSecurity(Engine::Two), 90_001);
    assert!(
        two.text.contains(r"ctl:ruleRemoveTargetById=941310;ARGS:\xe6\xb3\x95\xe4\xba\xba\xe5\x90\x8d"),
        "{}",
        two.text
    );
    assert!(two.opens[0].contains("the text of the field `法人名`"), "{:?}", two.opens);
}

#[test]
fn a_path_is_matched_whole_and_what_differs_in_it_stays_within_a_segment() {
    let regex = |path: &str| regex::bytes::Regex::new(&format!("(?-u){}", place::Path::new(path).regex())).unwrap();
    assert!(place::Path::new("/a-b_c.d~e").is_plain());
    assert!(!place::Path::new("/a+b").is_plain() && !place::Path::new("/x/{filename}").is_plain());
    let japanese = regex("/%E7%94%B3/{filename}/z");
    assert!(japanese.is_match("/申/a b.pdf/z".as_bytes()));
    assert!(!japanese.is_match("/申/a/b/z".as_bytes()) && !japanese.is_match("/申//z".as_bytes()));
    assert!(
        regex("/a.b").is_match(b"/a.b") && !regex("/a.b").is_match(b"/axb") && !regex("/a.b").is_match(b"/a.b\n/x")
    );
    assert!(regex("/a+b").is_match(b"/a b") && regex("/a+b").is_match(b"/a+b"));
}

proptest! {
    #[test]
    fn no_name_breaks_out_of_a_modsecurity_rule(
        name in "\\PC{0,12}|[\"'`;,|\\\\\n\r \t%{}:/!&a]{0,12}",
        path in "/[ -~]{0,12}|/[\"'\\\\\n%{}]{0,8}",
        method in "[!-~]{1,8}",
        message in "\\PC{0,20}|[\n\"\\\\]{0,6}",
        variable in "ARGS|FILES|REQUEST_HEADERS",
        first in any::<bool>(),
    ) {
        let logged = format!("{variable}:{name}");
        let fired = Fired { message, ..Fired::named("941310", Target::parse(&logged, &[name.clone().into_bytes()])) };
        let place = Place { method, ..place(path.split('?').next().unwrap()) };
        let case = CaseId::parse("pdf/a").unwrap();
        let filename = name.clone().into_bytes();
        let upload = Upload { filename, ..Upload::default() };
        let refusal = Refusal { case, place, rules: vec![fired], others: Vec::new(), upload, factors: None };
        let suggestion = suggested(&[refusal]);
        let engine = if first { Engine::Two } else { Engine::Three };
        let text = suggestion.snippet(Language::ModSecurity(engine), 90_001).text;
        let begin = |id: u32, phase: u32| format!(
            "SecRule REQUEST_FILENAME \"@(streq|rx) [!-~&&[^\"]]+\" \"id:{id},phase:{phase},pass,nolog,t:none(,t:urlDecode)?,chain\"\n\
             SecRule REQUEST_METHOD \"@(streq|rx) [A-Za-z0-9\\\\x^$]+\" "
        );
        let part = r"[A-Z_]+(:[A-Za-z0-9_.:\[\]\\-]+)?";
        let ctl = format!("\"t:none,ctl:ruleRemoveTargetById=941310;{part}\"");
        let whole = regex::Regex::new(&format!(
            "^({}{ctl}|{}\"t:none,chain\"\nSecRule FILES{part} \"@rx [!-~&&[^\"]]+\" \"t:none,setvar:'tx.wafcanary_90001=1'\"\n\
             {}\"t:none,chain\"\nSecRule &TX:wafcanary_90001 \"@eq 0\" {ctl})$",
            begin(90_001, 1), begin(90_001, 2), begin(90_002, 2)
        ).replace("FILES[A-Z_]+", "FILES")).unwrap();
        prop_assert!(whole.is_match(&directives(&text).join("\n")), "{text}");
        for comment in text.lines().filter(|line| line.starts_with('#')) {
            prop_assert!(comment.ends_with('.') && !comment.chars().any(char::is_control), "{comment:?}");
        }
    }
}

fn given(rule: &str, variable: Option<&str>) -> Suggestion {
    let target = variable.and_then(|variable| Target::parse(variable, &[]));
    let fired = Fired::named(rule, target);
    let case = CaseId::parse("pdf/a").unwrap();
    suggested(&[Refusal {
        case,
        place: place("/apply/up\"load"),
        rules: vec![fired],
        others: Vec::new(),
        upload: Upload::default(),
        factors: None,
    }])
}

fn json(snippet: &Snippet) -> Value {
    serde_json::from_str(&snippet.text).unwrap()
}

#[test]
fn aws_waf_counts_the_rule_and_blocks_by_its_label_but_for_the_upload() {
    let snippet = given("SizeRestrictions_BODY", None).snippet(Language::AwsWaf, 1);
    let rules = json(&snippet);
    let [group, block] = &rules.as_array().unwrap()[..] else { panic!("{rules}") };
    for rule in [group, block] {
        assert!(
            rule["Name"].is_string() && rule["Priority"].is_u64() && rule["VisibilityConfig"]["MetricName"].is_string()
        );
    }
    let statement = &group["Statement"]["ManagedRuleGroupStatement"];
    assert_eq!(statement["Name"], "AWSManagedRulesCommonRuleSet");
    let action = &statement["RuleActionOverrides"][0];
    assert_eq!((&action["Name"], action["ActionToUse"]["Count"].is_object()), (&"SizeRestrictions_BODY".into(), true));
    assert_eq!(group["OverrideAction"], serde_json::json!({ "None": {} }), "the group itself goes on blocking");
    let and = &block["Statement"]["AndStatement"]["Statements"];
    assert_eq!(and[0]["LabelMatchStatement"]["Key"], "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body");
    let upload = &and[1]["NotStatement"]["Statement"]["AndStatement"]["Statements"];
    let path = &upload[0]["ByteMatchStatement"];
    assert_eq!((&path["SearchString"], &path["PositionalConstraint"]), (&"/apply/up\"load".into(), &"EXACTLY".into()));
    assert_eq!(upload[1]["ByteMatchStatement"]["SearchString"], "POST");
    assert!(block["Action"]["Block"].is_object());
}

#[test]
fn cloudflare_skips_single_rules_for_host_method_and_path_and_never_the_score() {
    let (set, rule) = ("efb7b8c949ac4650a09736fc376e9aee", "0123456789abcdef0123456789abcdef");
    let snippet = given(&format!("{set}/{rule}"), None).snippet(Language::Cloudflare, 1);
    let skip = &json(&snippet)[0];
    assert_eq!((&skip["action"], &skip["action_parameters"]["rules"][set][0]), (&"skip".into(), &rule.into()));
    assert_eq!(
        skip["expression"],
        r#"http.host eq "form.example.jp" and http.request.method eq "POST" and http.request.uri.path eq "/apply/up\"load""#
    );
    assert!(snippet.notes[0].contains("before"), "{:?}", snippet.notes);
    let numbered = given("941310", None).snippet(Language::Cloudflare, 1);
    assert!(numbered.text.is_empty() && numbered.left_out[0].contains("Security Events"), "{numbered:?}");
    assert!(evaluates("4814384a9e5d4991b9815dcfc25d2f1f/6179ae15870a4bb7b2d480d4843b323c"));
}

#[test]
fn azure_excludes_the_field_for_the_rule_and_logs_a_rule_that_reads_none() {
    let field = json(&given("941310", Some("ARGS:memo")).snippet(Language::AzureAppGateway, 1));
    let entry = &field["managedRules"]["exclusions"][0];
    assert_eq!((&entry["matchVariable"], &entry["selector"]), (&"RequestArgValues".into(), &"memo".into()));
    let group = &entry["exclusionManagedRuleSets"][0]["ruleGroups"][0];
    assert_eq!(group["ruleGroupName"], "REQUEST-941-APPLICATION-ATTACK-XSS");
    assert_eq!(group["rules"][0]["ruleId"], "941310");
    assert_eq!(field["managedRules"]["managedRuleSets"][0]["ruleGroupOverrides"], serde_json::json!([]));
    let name = given("920120", Some("FILES:file")).snippet(Language::AzureAppGateway, 1);
    let rule = &json(&name)["managedRules"]["managedRuleSets"][0]["ruleGroupOverrides"][0]["rules"][0];
    assert_eq!(
        (&rule["ruleId"], &rule["action"], &rule["state"]),
        (&"920120".into(), &"Log".into(), &"Enabled".into())
    );
    assert!(name.opens[0].contains("looks at nothing any more"), "{:?}", name.opens);
    let door = json(&given("941310", Some("ARGS:memo")).snippet(Language::AzureFrontDoor, 1));
    let group = &door["managedRules"]["managedRuleSets"][0]["ruleGroupOverrides"][0];
    assert_eq!(group["ruleGroupName"], "XSS");
    let entry = &group["rules"][0]["exclusions"][0];
    assert_eq!((&entry["matchVariable"], &entry["selector"]), (&"RequestBodyPostArgNames".into(), &"memo".into()));
    let other = given("SizeRestrictions_BODY", None).snippet(Language::AzureFrontDoor, 1);
    assert!(other.text.is_empty() && other.left_out.len() == 1, "{other:?}");
}

#[test]
fn cloud_armor_gives_the_path_a_rule_without_the_signature_and_quotes_it_for_the_shell() {
    let snippet = given("941310", Some("ARGS:memo")).snippet(Language::CloudArmor, 1);
    let expression = snippet.text.split("--expression='").nth(1).unwrap().split("'\n").next().unwrap();
    assert_eq!(
        expression,
        "request.path == \"/apply/up\\\"load\" && request.method == \"POST\" && evaluatePreconfiguredWaf(\"xss-v33-stable\", \
         {\"sensitivity\": 1, \"opt_out_rule_ids\": [\"owasp-crs-v030301-id941310-xss\"]})"
    );
    assert!(snippet.text.contains("!(request.path"), "{}", snippet.text);
    let other = given("920120", None).snippet(Language::CloudArmor, 1);
    assert!(other.text.is_empty() && other.left_out[0].contains("preconfigured rule set"), "{other:?}");
}

/// A case of a comparison with the outcomes of both sides.
fn compared(
    id: &str,
    intent: &str,
    baseline: &str,
    candidate: &str,
    would_block: bool,
) -> crate::compare::ComparedCase {
    let side = |outcome: &str, would_block: bool| {
        serde_json::json!({
            "outcome": outcome, "signature": null, "status": 200, "attempts": 1, "evidence": "", "millis": 1,
            "would_block": would_block,
        })
    };
    serde_json::from_value(serde_json::json!({
        "id": id, "intent": intent, "class": "newly_blocked", "filename": "a.pdf", "weight": 1.0,
        "finding": { "kind": "open" }, "baseline": side(baseline, false), "candidate": side(candidate, would_block),
    }))
    .unwrap()
}

/// What was sent: id, outcomes of the rounds, and whether the log tells of a rule that would refuse.
fn sent(cases: &[(&str, &[&str], bool)], ending: &str) -> crate::run::Run {
    let digest = "0".repeat(64);
    let manifest = serde_json::json!({
        "schema_version": 1, "tool": "t", "run": "r", "side": "candidate", "started": "s", "profile": "p",
        "profile_digest": digest, "url": "u", "environment": "lab", "proof": "receipt", "insecure": false,
        "authorized": true, "rate": null, "concurrency": 1, "corpus": "c", "corpus_digest": digest, "cases": 1, "rounds": 2,
    });
    let record = |(id, rounds, would_block): &(&str, &[&str], bool)| {
        let verdict = serde_json::json!({ "outcome": rounds[0], "evidence": "", "would_block": would_block });
        serde_json::from_value(serde_json::json!({
            "side": "candidate", "case": id, "intent": "legit", "verdict": verdict, "rounds": rounds, "attempts": 2,
            "filename": "a.pdf", "millis": 1,
        }))
        .unwrap()
    };
    crate::run::Run {
        manifest: serde_json::from_value(manifest).unwrap(),
        ending: Some(serde_json::from_value(serde_json::json!({ "kind": ending })).unwrap()),
        cases: cases.iter().map(record).collect(),
        waf_logs: Vec::new(),
    }
}

#[test]
fn a_round_is_judged_by_all_its_answers_and_an_unfinished_one_says_nothing() {
    let before = [
        compared("pdf/cured", "legit", "delivered", "blocked", false),
        compared("pdf/refused", "legit", "delivered", "blocked", false),
        compared("pdf/altered", "legit", "delivered", "blocked", false),
        compared("pdf/flaky", "legit", "delivered", "blocked", false),
        compared("pdf/logged", "legit", "delivered", "delivered", true),
        compared("pdf/gone", "legit", "delivered", "blocked", false),
        compared("pdf/throttled", "legit", "delivered", "blocked", false),
        compared("control/kept", "control", "blocked", "blocked", false),
        compared("control/once-in", "control", "delivered", "blocked", false),
        compared("control/logged", "control", "blocked", "delivered", true),
        compared("control/silent", "control", "blocked", "delivered", true),
    ];
    let before: Vec<&crate::compare::ComparedCase> = before.iter().collect();
    assert!(before.iter().all(|case| was_kept_out(case) == case.id.as_str().starts_with("control/")));
    let (delivered, blocked) = (["delivered"; 2], ["blocked"; 2]);
    let now: [(&str, &[&str], bool); 10] = [
        ("pdf/cured", &delivered, false),
        ("pdf/refused", &blocked, false),
        ("pdf/altered", &["altered"; 2], false),
        ("pdf/flaky", &["delivered", "blocked"], false),
        ("pdf/logged", &delivered, true),
        ("pdf/throttled", &["throttled"; 2], false),
        ("control/kept", &blocked, false),
        ("control/once-in", &["blocked", "delivered"], false),
        ("control/logged", &delivered, true),
        ("control/silent", &delivered, false),
    ];
    let round = Round::judge(2, 3, &before, &sent(&now, "complete"));
    let names = |ids: &[CaseId]| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!((round.number, round.exclusions, round.regressions), (2, 3, 7));
    assert_eq!(names(&round.cured), ["pdf/cured"]);
    assert_eq!(names(&round.refused), ["pdf/refused", "pdf/altered", "pdf/logged"]);
    assert_eq!(names(&round.unclear), ["pdf/flaky", "pdf/gone", "pdf/throttled"]);
    assert_eq!(names(&round.let_in), ["control/once-in", "control/silent"]);
    assert_eq!((round.kept_out, round.in_before), (2, 1));
    let cut = Round::judge(1, 1, &before, &sent(&now, "interrupted"));
    assert_eq!((cut.unclear.len(), cut.cured.len(), cut.let_in.len()), (before.len(), 0, 0));
}
