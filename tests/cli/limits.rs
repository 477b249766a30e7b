//! `limits`: wrong usage, nothing sent where nothing may be, and what an interrupt leaves.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use super::{Place, lab, marker_profile};

#[test]
fn wrong_usage_is_refused_with_a_way_out() {
    let place = Place::new();
    place.write("p.toml", &marker_profile("http://127.0.0.1:9/"));
    place.run(&["limits"]).says(2, &["no profile is given", "--profile", "of two that are measured"]);
    let three = ["limits", "--profile", "a.toml", "--profile", "b.toml", "--profile", "c.toml"];
    place.run(&three).says(2, &["more than two profiles"]);
    place.run(&["limits", "--profile", "missing.toml"]).says(2, &["missing.toml"]);
    for (flag, bad, words) in [
        ("--only", "sizes", "known limits: size, text, filename, files, fields, part-headers, window"),
        ("--transport", "post", "known transports: multipart, put, base64-json"),
        ("--max-size", "10 Mo", "such as `100MB`"),
        ("--max-size", "4KiB", "16384 bytes or more"),
        ("--max-size", "900GB", "give 16GiB or less"),
    ] {
        place.run(&["limits", "--profile", "p.toml", flag, bad]).says(2, &[words]);
    }
    place.run(&["limits", "--profile", "p.toml", "--rate=-1"]).says(2, &["is no rate"]);
    let window = ["limits", "--profile", "p.toml", "--only", "window"];
    place.run(&window).says(2, &["agrees to no controls", "guard.authorized", "leave out `window`"]);
    place.run(&["limits", "--profile", "p.toml", "--dry-run"]).says(0, &["the inspection window is not looked for"]);
}

#[test]
fn production_is_asked_only_when_allowed_and_a_dry_run_sends_nothing() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    place.write("p.toml", &marker_profile(&url).replace("\"lab\"", "\"production\""));
    place.run(&["limits", "--profile", "p.toml"]).says(2, &["sends to production", "--dry-run", "--allow-production"]);
    place
        .run(&["limits", "--profile", "p.toml", "--dry-run"])
        .says(0, &["nothing is sent", "limits of `p`", "bytes where nothing is refused", "bytes at most"]);
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_ceiling_that_the_plan_may_reach_is_told_before() {
    let place = Place::new();
    let capped = marker_profile("http://127.0.0.1:9/").replace("[pace]", "[pace]\nmax_bytes = 1000");
    place.write("p.toml", &capped);
    place.run(&["limits", "--profile", "p.toml", "--dry-run"]).says(0, &["`pace.max_bytes` may end it before"]);
}

#[test]
fn the_cost_of_the_largest_bodies_is_told() {
    let place = Place::new();
    place.run(&["limits", "--profile", &lab("upper"), "--max-size", "16GiB", "--dry-run"]).says(0, &["bytes at most"]);
}

#[test]
fn an_edge_that_cannot_be_reached_is_inconclusive() {
    let place = Place::new();
    place.write("p.toml", &marker_profile("http://127.0.0.1:9/"));
    let ran = place.run(&["limits", "--profile", "p.toml"]);
    ran.says(3, &["size (multipart, pdf)", "not found", "unreachable", "not all was measured", "1 request,"]);
    let ran = place.run(&["limits", "--profile", "p.toml", "--only", "fields,files"]);
    ran.says(3, &["files in a form (multipart)", "not found", "unreachable"]);
    assert!(!ran.out.contains("size"), "{}", ran.out);
}

#[test]
fn the_document_is_valid_by_its_schema_and_names_both_edges() {
    let place = Place::new();
    let (standard, upper) = (lab("standard"), lab("upper"));
    let ran = place.run(&[
        "limits",
        "--profile",
        &standard,
        &upper,
        "--only",
        "files,window",
        "--max-size",
        "300KB",
        "--json",
    ]);
    ran.says(0, &["limits of `lab, upper plan`"]);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let schema = wafcanary::report::limits_schema();
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    assert!(validator.is_valid(&document), "{:?}", validator.iter_errors(&document).next().map(|e| e.to_string()));
    let names: Vec<_> = document["edges"].as_array().unwrap().iter().map(|edge| &edge["profile"]).collect();
    assert_eq!(names, ["lab, standard plan", "lab, upper plan"]);
    assert_eq!(document["edges"][1]["limits"][1]["finding"], "window");
}

#[test]
fn an_interrupt_tells_what_was_found_so_far() {
    let place = Place::new();
    let standard = lab("standard");
    let limits = ["limits", "--profile", &standard, "--only", "filename,size", "--rate", "3", "--max-size", "1MiB"];
    let mut child = place.command(&limits).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    // The first format's size is known when the second one's is looked for.
    assert!(said.any(|line| line.unwrap().contains("size (multipart, jpg)")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{out}");
    assert!(out.contains("size (multipart, pdf)\n  lab, standard plan  ≥ file 1,048,"), "{out}");
    assert!(out.contains("interrupted") && out.contains("not all was measured"), "{out}");
}
