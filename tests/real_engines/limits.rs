//! Limits that are measured are those that the engines' configurations set, to the byte.

use serde_json::Value;

use crate::lab::{Engines, lab};

/// The last value that a file of an engine's configuration gives a directive, in bytes.
fn configured(engines: &Engines, file: &str, directive: &str) -> u64 {
    let path = engines.path("conf").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let words = |line: &str| -> Option<String> {
        let rest = line.trim().strip_prefix(directive)?.strip_prefix(char::is_whitespace)?;
        Some(rest.split_whitespace().next()?.trim_end_matches(';').to_owned())
    };
    let value =
        text.lines().filter_map(words).next_back().unwrap_or_else(|| panic!("{} has no {directive}", path.display()));
    match value.strip_suffix('m') {
        Some(mebibytes) => mebibytes.parse::<u64>().unwrap() << 20,
        None => value.parse().unwrap(),
    }
}

/// The limits of an engine.
fn measured(engines: &Engines, engine: &str, arguments: &[&str]) -> Vec<Value> {
    let profile = engines.profile(engine);
    let ran = engines.wafcanary(&[&["limits", "--json", "--profile", &profile], arguments].concat());
    assert_eq!(ran.code, Some(0), "{engine}: {}\n{}", ran.out, ran.err);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let edge = &document["edges"][0];
    println!("{engine} {arguments:?}: {} requests, {} bytes", edge["requests"], edge["bytes"]);
    edge["limits"].as_array().unwrap().clone()
}

/// Each is a limit with these numbers on its two sides, refused so.
fn are(limits: &[Value], of: [&str; 2], delivered: u64, refusal: (&str, u64)) {
    assert!(!limits.is_empty());
    for limit in limits {
        let number = |side: &str| limit[side][of[1]].as_u64();
        assert_eq!(limit["quantity"], of[0], "{limit:#}");
        assert_eq!((number("delivered"), number("refused")), (Some(delivered), Some(delivered + 1)), "{limit:#}");
        let told = (limit["refusal"]["outcome"].as_str().unwrap(), limit["refusal"]["status"].as_u64().unwrap());
        assert_eq!(told, refusal, "{limit:#}");
    }
}

#[test]
fn limits_of_the_body_are_those_of_the_configuration_to_the_byte() {
    let engines = lab();
    let nginx = configured(&engines, "ngx-cmbs1m/nginx.conf", "client_max_body_size");
    let apache = configured(&engines, "apa-limit/apache.conf", "SecRequestBodyLimit");
    let haproxy = configured(
        &engines,
        "hap-limit/haproxy.cfg",
        "http-request deny deny_status 413 if { req.hdr_val(content-length) gt",
    );
    assert_eq!([nginx, apache, haproxy], [1 << 20; 3]);
    for (engine, limit) in [("ngx-cmbs1m", nginx), ("apa-limit", apache), ("hap-limit", haproxy)] {
        let found = measured(&engines, engine, &["--only", "size", "--max-size", "3MiB"]);
        assert_eq!(found.len(), 4);
        are(&found, ["size", "body"], limit, ("too_large", 413));
        assert!(found.iter().all(|found| found["counted"] == "body"), "{found:#?}");
    }
    for (engine, limit) in [("ngx-cmbs1m", nginx), ("hap-limit", haproxy)] {
        let found =
            measured(&engines, engine, &["--only", "size", "--transport", "put,base64-json", "--max-size", "3MiB"]);
        assert_eq!(found.len(), 8);
        are(&found, ["size", "body"], limit, ("too_large", 413));
    }
}

#[test]
fn limits_of_modsecurity_are_those_of_its_configuration_to_the_byte() {
    let engines = lab();
    // Version 3 refuses with 403, and what is over the limit; version 2 with 413.
    for (engine, refusal) in [("ngx-crs-pl1", ("blocked", 403)), ("apa-crs-pl1", ("too_large", 413))] {
        let limit = configured(&engines, &format!("{engine}/modsecurity.conf"), "SecRequestBodyLimit");
        assert_eq!(limit, 13_107_200);
        let found = measured(&engines, engine, &["--only", "size"]);
        assert_eq!(found.len(), 4);
        are(&found, ["size", "body"], limit, refusal);
    }
}

#[test]
fn limits_of_all_but_files_are_those_of_modsecuritys_configuration_to_the_byte() {
    let engines = lab();
    // Version 2 refuses what is as long as the limit, version 3 what is longer.
    for (engine, refusal, longer) in [
        ("ngx-crs-pl1", ("blocked", 400), 0),
        ("apa-crs-pl1", ("too_large", 413), 1),
        ("apa-limit", ("too_large", 413), 1),
    ] {
        let limit = configured(&engines, &format!("{engine}/modsecurity.conf"), "SecRequestBodyNoFilesLimit");
        assert_eq!(limit, 131_072);
        let found = measured(&engines, engine, &["--only", "text"]);
        are(&found, ["text", "no_files"], limit - longer, refusal);
    }
}

#[test]
fn a_file_in_json_is_no_file_to_modsecurity() {
    let engines = lab();
    for (engine, refusal, longer) in [("ngx-crs-pl1", ("blocked", 400), 0), ("apa-crs-pl1", ("too_large", 413), 1)] {
        let limit = configured(&engines, &format!("{engine}/modsecurity.conf"), "SecRequestBodyNoFilesLimit");
        let found = measured(&engines, engine, &["--only", "size", "--transport", "base64-json", "--max-size", "1MiB"]);
        assert_eq!(found.len(), 4);
        are(&found, ["size", "body"], limit - longer, refusal);
        let largest = found.iter().map(|found| found["delivered"]["value"].as_u64().unwrap()).max();
        assert_eq!(largest, Some(98_256));
    }
}

#[test]
fn numbers_and_names_are_limited_as_modsecuritys_configuration_says() {
    let engines = lab();
    let limit = configured(&engines, "ngx-crs-pl1/modsecurity.conf", "SecArgumentsLimit");
    assert_eq!(limit, 1000);
    // In version 3, the recommended rule 200007 refuses as many as the limit; version 2 has the same limit built in.
    for (engine, delivered) in [("ngx-crs-pl1", limit - 1), ("apa-crs-pl1", limit)] {
        let found = measured(&engines, engine, &["--only", "fields,files,filename,part-headers"]);
        let [filename, files, fields, part_headers] = &found[..] else { panic!("{found:#?}") };
        are(std::slice::from_ref(fields), ["fields", "value"], delivered, ("blocked", 400));
        // The part's header line, with its end, must be shorter than 4,096 bytes.
        are(std::slice::from_ref(filename), ["filename", "value"], 4037, ("blocked", 400));
        for unlimited in [files, part_headers] {
            assert_eq!(unlimited["finding"], "at_least", "{unlimited:#}");
        }
        assert_eq!(part_headers["delivered"]["value"], 2050, "{part_headers:#}");
    }
}

#[test]
fn modsecurity_3_inspects_the_whole_of_a_form_and_version_2_no_file_in_it() {
    let engines = lab();
    let found = measured(&engines, "ngx-crs-pl1", &["--only", "window"]);
    assert_eq!(found[0]["finding"], "everywhere", "{found:#?}");
    assert!(found[0]["up_to"]["value"].as_u64().unwrap() > (2 << 20) - 256, "{found:#?}");
    let found = measured(&engines, "apa-crs-pl1", &["--only", "window"]);
    assert_eq!(found[0]["finding"], "unseen", "{found:#?}");
}

#[test]
fn two_engines_are_told_side_by_side() {
    let engines = lab();
    let (baseline, candidate) = (engines.profile("ngx-off"), engines.profile("ngx-cmbs1m"));
    let ran = engines.wafcanary(&["limits", "--profile", &baseline, &candidate, "--only", "size", "--max-size", "2MB"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().take(3).collect();
    assert_eq!(lines[0], "size (multipart, pdf)");
    assert!(
        lines[1].starts_with("  ngx-off     ≥ file 1,999,") && lines[1].ends_with(" B, body 2,000,000 B"),
        "{lines:#?}"
    );
    let candidate = "body 1,048,576 B; one more is refused: too_large 413 (nginx); the whole body counts";
    assert!(lines[2].starts_with("  ngx-cmbs1m  file 1,048,") && lines[2].ends_with(candidate), "{lines:#?}");
}
