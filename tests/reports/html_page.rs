//! The page for a browser, read as HTML: nothing of a stranger's in it does anything, and all of it is in its language.

use base64::Engine as _;
use scraper::{ElementRef, Html, Selector};
use sha2::{Digest as _, Sha256};
use wafcanary::compare::Comparison;
use wafcanary::report::{Format, Lang, Options};

use super::{comparisons, fixture, rendered_run, rendered_with};

fn page(comparison: &Comparison, lang: Lang) -> Html {
    Html::parse_document(&rendered_with(comparison, Format::Html, &Options { lang, ..Options::default() }))
}

fn all() -> Vec<(String, Html)> {
    let mut all = Vec::new();
    for (name, comparison) in comparisons() {
        for lang in [Lang::En, Lang::Ja] {
            all.push((format!("{name} in {}", lang.tag()), page(&comparison, lang)));
        }
    }
    all.push(("run".to_owned(), Html::parse_document(&rendered_run(&fixture::run(), Format::Html))));
    all
}

fn elements<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect()
}

#[test]
fn no_name_makes_an_element_or_an_attribute_that_acts() {
    let ours: [&str; 2] = ["application/json", ""];
    for (name, page) in all() {
        let scripts = elements(&page, "script");
        let kinds: Vec<&str> = scripts.iter().map(|it| it.value().attr("type").unwrap_or_default()).collect();
        assert_eq!(kinds, ours, "{name}");
        for acting in
            ["img", "iframe", "object", "embed", "link", "base", "meta[http-equiv=refresh]", "b b", "audio", "video"]
        {
            assert!(elements(&page, acting).is_empty(), "{name}: {acting}");
        }
        for element in elements(&page, "*") {
            for (attribute, value) in element.value().attrs() {
                let acts = attribute.starts_with("on")
                    || ["src", "style", "srcdoc", "action", "formaction"].contains(&attribute);
                let leads = attribute == "href" && !value.starts_with('#');
                assert!(!acts && !leads, "{name}: {attribute}={value}");
            }
        }
        // Nothing that a browser obeys or reorders stands in the text.
        let shown: String = elements(&page, "body").into_iter().map(text).collect();
        let hidden = |c: &char| {
            c.is_control() && !c.is_ascii_whitespace() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert_eq!(shown.chars().find(hidden), None, "{name}");
    }
}

#[test]
fn the_policy_allows_this_style_and_this_script_and_nothing_else() {
    let digest = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
    for (name, page) in all() {
        let policies = elements(&page, "meta[http-equiv=Content-Security-Policy]");
        let [policy] = policies[..] else { panic!("{name}") };
        let style = digest(&text(elements(&page, "style")[0]));
        let script = digest(&text(elements(&page, "script:not([type])")[0]));
        assert_eq!(
            policy.value().attr("content").unwrap(),
            format!(
                "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; base-uri 'none'; form-action 'none'"
            ),
            "{name}"
        );
    }
}

/// Text that is neither quoted nor a name, an id or a number.
fn prose(element: ElementRef<'_>, out: &mut String) {
    for child in element.children() {
        if let Some(text) = child.value().as_text() {
            out.push_str(text);
        } else if let Some(inner) = ElementRef::wrap(child) {
            let quoted = inner.value().attr("lang").is_some()
                || ["q", "code", "pre", "bdi", "script", "style", "noscript"].contains(&inner.value().name());
            out.push(' ');
            if !quoted {
                prose(inner, out);
            }
            out.push(' ');
        }
    }
}

#[test]
fn a_japanese_page_has_no_english_sentence_of_its_own() {
    for (name, page) in all().into_iter().filter(|(name, _)| name.ends_with("in ja")) {
        let mut told = String::new();
        prose(elements(&page, "body")[0], &mut told);
        let mut english = 0;
        for word in told.split_whitespace() {
            let is_english =
                word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase() || b",.'".contains(&byte));
            english = if is_english { english + 1 } else { 0 };
            assert!(english < 3, "{name}: … {word}");
        }
        assert!(told.contains("判定と実施条件") && told.contains("確認していない範囲"), "{name}");
    }
}

#[test]
fn every_finding_and_its_reason_stands_in_the_page() {
    for (name, comparison) in comparisons() {
        for lang in [Lang::En, Lang::Ja] {
            let page = page(&comparison, lang);
            let codes: Vec<String> = elements(&page, "main code").into_iter().map(text).collect();
            for case in &comparison.cases {
                let noted = case.class != wafcanary::compare::Class::Unchanged;
                let shown = case.id.as_str().replace('\u{202e}', "\\u{202e}");
                assert!(!noted || codes.contains(&shown), "{name}: {shown}");
            }
            for reason in &comparison.reasons {
                assert!(codes.contains(&reason.code), "{name}: {}", reason.code);
            }
        }
    }
}

/// The verdict's words.
fn verdict(comparison: &Comparison, lang: Lang) -> String {
    text(elements(&page(comparison, lang), "h1")[0])
}

#[test]
fn a_pass_never_says_that_all_arrives_when_something_is_waived_or_not_counted() {
    use wafcanary::compare::{Class, Decision, Finding};
    let clean = fixture::case("pdf/a", Class::Unchanged, Finding::None, "a.pdf");
    let sound = fixture::comparison(Decision::Pass, Vec::new(), vec![clean.clone()]);
    assert!(
        verdict(&sound, Lang::Ja).contains("すべて届きます")
            && verdict(&sound, Lang::En).contains("All that got through still does")
    );
    let waived = Finding::Waived { owner: "o".into(), reason: "r".into(), expires: "2027-01-01".into() };
    for class in Class::DOUBTFUL {
        for finding in [waived.clone(), Finding::None] {
            let cases = vec![clean.clone(), fixture::case("pdf/b", class, finding.clone(), "b.pdf")];
            let passed = fixture::comparison(Decision::Pass, Vec::new(), cases);
            let (ja, en) = (verdict(&passed, Lang::Ja), verdict(&passed, Lang::En));
            assert!(!ja.contains("すべて届きます") && ja.contains("基準内"), "{class:?}: {ja}");
            let counted = super::rendered(&passed, Format::Terminal);
            assert_eq!(counted.contains(" not counted"), finding == Finding::None, "{counted}");
            assert!(!en.contains("still does") && en.contains("waived or not counted"), "{class:?}: {en}");
        }
    }
}

#[test]
fn what_is_not_known_of_procedures_is_said() {
    use wafcanary::compare::{Class, Decision, Finding};
    for class in [Class::NewlyAltered, Class::Flaky, Class::Inconclusive, Class::OnlyInBaseline] {
        let mut case = fixture::case("pdf/a", class, Finding::Open, "a.pdf");
        case.procedures = vec!["ごみ収集申込書".into()].into();
        let doubtful = fixture::comparison(Decision::Inconclusive, Vec::new(), vec![case]);
        let told = text(elements(&page(&doubtful, Lang::Ja), "section[aria-labelledby=who]")[0]);
        assert!(told.contains("未確認") && told.contains("ごみ収集申込書"), "{class:?}: {told}");
        // Sixteen were selected, and one was asked.
        let untested = text(elements(&page(&doubtful, Lang::Ja), "section[aria-labelledby=untested]")[0]);
        assert!(untested.contains("選択した16件のうち15件は"), "{untested}");
    }
}

#[test]
fn tables_have_heads_for_each_cell_and_ids_are_not_given_twice() {
    for (name, page) in all() {
        for table in elements(&page, "table") {
            let row = Selector::parse("tr").unwrap();
            let cell = Selector::parse("th, td").unwrap();
            let widths: std::collections::BTreeSet<usize> =
                table.select(&row).map(|row| row.select(&cell).count()).collect();
            assert!(widths.len() <= 1, "{name}: {widths:?}");
            assert!(
                !text(table).is_empty() && table.select(&Selector::parse("thead th[scope=col]").unwrap()).count() > 0
            );
        }
        let ids: Vec<&str> = elements(&page, "[id]").iter().filter_map(|it| it.value().attr("id")).collect();
        let distinct: std::collections::BTreeSet<&&str> = ids.iter().collect();
        assert_eq!(ids.len(), distinct.len(), "{name}: {ids:?}");
    }
}
