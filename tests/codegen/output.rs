//! The generated code.

use super::{Protos, generated};

/// Returns the documentation above the item whose declaration begins with `item`.
fn documentation(code: &str, item: &str) -> Vec<String> {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.starts_with(item)).unwrap_or_else(|| panic!("no {item} in {code}"));
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
    let mut text: Vec<String> =
        above.filter_map(|line| line.strip_prefix("///")).map(|line| line.trim().into()).collect();
    text.reverse();
    text
}

#[test]
fn comments_become_documentation() {
    let protos = generated(
        "// Not a message's.\n\n\
         // A message.\n// Two lines.\n\
         message A {\n\
         int32 a = 1; // A field.\n\
         /* A\n * block. */\n\
         int32 b = 2; // Not this.\n\
         // A oneof.\n\
         oneof choice {\n// A variant.\nint32 c_d = 3; }\n\
         // Nested.\n\
         message B {}\n\
         int32 without = 4;\n\
         }\n\
         enum E { // An enum.\n  Z = 0; // A value.\n}\n\
         // A service.\nservice S {\n// A method.\nrpc Add(A) returns (A) {}\nrpc Sub(A) returns (A) {} // Another.\n}",
    );
    let messages = protos.output("a.rs");
    for (item, text) in [
        ("pub struct A ", &["A message.", "Two lines."][..]),
        ("pub a:", &["A field."]),
        ("pub b:", &["A", "block."]),
        ("pub choice:", &["A oneof."]),
        ("pub enum Choice", &["A oneof."]),
        ("CD(i32)", &["A variant."]),
        ("pub struct B ", &["Nested."]),
        ("pub without:", &[]),
        ("pub enum E ", &["An enum."]),
        ("Z = 0", &["A value."]),
    ] {
        assert_eq!(documentation(&messages, item), text, "{item}");
    }
    let services = protos.output("a_grpc.rs");
    for (item, function) in [("pub trait S:", "s_service"), ("pub trait SAsync:", "s_async_service")] {
        let text = documentation(&services, item);
        assert_eq!(text[..2], ["A service.", ""]);
        assert!(text[2].starts_with(&format!("Register an implementation with [`{function}`].")), "{text:?}");
    }
    assert_eq!(documentation(&services, "fn add("), ["A method."]);
    assert_eq!(documentation(&services, "fn sub("), ["Another."]);
    assert_eq!(documentation(&services, "pub fn add("), ["A method.", "", "Blocks until the reply has come."]);
    assert!(!messages.contains("proto_name"), "a mark is left");
}

#[test]
fn comments_cannot_upset_rustdoc() {
    for (comment, text) in [
        ("// See https://grpc.io/docs, [x] and <b>.", &["See <https://grpc.io/docs>, \\[x\\] and \\<b\\>."][..]),
        ("// `a[<b>]` and ``c`d``, `open [e]", &["`a[<b>]` and ``c`d``, \\`open \\[e\\]"]),
        ("// [gRPC](https://grpc.io)", &["[gRPC](https://grpc.io)"]),
        ("// [gRPC](javascript:x)", &["\\[gRPC\\](javascript:x)"]),
        ("//     loop {}\n//\n//     x", &["```text", "loop {}", "", "x", "```"]),
        ("// x:\n//     y", &["x:", "y"]),
        ("// ```\n// loop {} // ` `\n// ```\n// y", &["```text", "loop {} // ` `", "```", "", "y"]),
        ("// ```rust\n// loop {}", &["```text", "loop {}", "```"]),
        ("//     ```", &["````text", "```", "````"]),
        ("// \u{202e}right to left\u{7}", &["right to left"]),
    ] {
        let messages = generated(&format!("{comment}\nmessage A {{}}")).output("a.rs");
        assert_eq!(documentation(&messages, "pub struct A "), text, "{comment}");
    }
}

#[test]
fn services_and_methods_without_comments_are_documented() {
    let services = generated("message A {}\nservice S { rpc Add(A) returns (A); }").output("a_grpc.rs");
    assert_eq!(documentation(&services, "pub trait S:")[0], "The `t.S` service.");
    assert_eq!(documentation(&services, "fn add("), ["`/t.S/Add`."]);
}

#[test]
fn names_of_methods_are_escaped() {
    let methods = ["Move", "Self", "Try", "New", "Clone", "Name", "Foo", "FooAsync"];
    let methods: String = methods.iter().map(|name| format!("rpc {name}(A) returns (A);")).collect();
    let services = generated(&format!("message A {{}}\nservice S {{ {methods} }}")).output("a_grpc.rs");
    // Functions of the two traits, then of the client.
    for expected in ["    fn r#move(", "    fn self_(", "    fn r#try(", "    fn new(", "    fn clone("] {
        assert_eq!(services.matches(expected).count(), 2, "{expected}");
    }
    for expected in [
        "    pub fn new_(",
        "    pub fn clone_(",
        "    pub const NAME_: ",
        "    pub const NAME: &str = \"t.S\"",
        "    pub fn self_async(",
        "    pub fn foo_async_(",
        "    pub fn foo_async(",
        "    pub fn foo_async_async(",
    ] {
        assert_eq!(services.matches(expected).count(), 1, "{expected}");
    }
}

/// Without line breaks and indentation.
fn squeezed(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn unary_methods_are_asynchronous_in_a_second_trait() {
    let methods = "rpc One(A) returns (A); rpc Many(A) returns (stream A);";
    let services = squeezed(&generated(&format!("message A {{}}\nservice S {{ {methods} }}")).output("a_grpc.rs"));
    let (_, asynchronous) = services.split_once("pub trait SAsync: ").unwrap();
    let (asynchronous, _) = asynchronous.split_once("pub mod s {").unwrap();
    for expected in [
        "fn one( &self, call: ::grpcio_kit::Call<'static>, request: super::a::A, ) -> impl ::std::future::Future< \
         Output = ::std::result::Result<super::a::A, ::grpcio_kit::Status>, > + ::std::marker::Send;",
        "fn many( &self, call: &::grpcio_kit::Call<'_>, request: super::a::A, ) -> ::std::result::Result< \
         ::grpcio_kit::ReplyStream<super::a::A>, ::grpcio_kit::Status, >;",
        "pub fn s_async_service<S: SAsync>(service: S) -> ::grpcio_kit::Service {",
        ".unary_async( s::ONE,",
        "async move { <S as SAsync>::one(&service, call, argument).await }",
        ".server_streaming( s::MANY,",
    ] {
        assert!(asynchronous.contains(expected), "{expected} in {asynchronous}");
    }
}

#[test]
fn a_service_without_unary_methods_has_one_trait() {
    let services = generated("message A {}\nservice S { rpc Many(A) returns (stream A); }").output("a_grpc.rs");
    assert!(services.contains("pub trait S:") && !services.contains("Async"), "{services}");
}

#[test]
fn generated_code_names_no_crate_but_the_kit() {
    let protos = generated(
        "import \"google/protobuf/timestamp.proto\";\nmessage A { google.protobuf.Timestamp t = 1; map<string, A> m = 2; \
         oneof choice { A a = 3; } }\nenum E { Z = 0; }\n\
         service S { rpc Add(A) returns (google.protobuf.Timestamp); }",
    );
    for file in ["a.rs", "a_grpc.rs"] {
        let code = protos.output(file).replace("::std::", "").replace("::grpcio_kit::", "");
        for (at, _) in code.match_indices("::") {
            let before = code[..at].chars().next_back().unwrap();
            assert!(before.is_alphanumeric() || "_>".contains(before), "{}", &code[at - 20..at + 40]);
        }
    }
}

/// The test protos, which are compiled, prove that the names are right.
#[test]
fn files_named_like_keywords_have_modules() {
    let protos = Protos::new(&[
        ("type.proto", "syntax = \"proto3\"; message A {}"),
        ("x/b-c.proto", "syntax = \"proto3\"; import \"type.proto\"; service S { rpc Add(A) returns (A); }"),
    ]);
    protos.generate(&["type.proto", "x/b-c.proto"]).unwrap();
    assert_eq!(protos.output("mod.rs"), "pub mod type_;\npub mod b_c;\npub mod b_c_grpc;\n");
    assert!(protos.output("b_c_grpc.rs").contains("request: super::type_::A"));
    protos.output("type_.rs");
}

#[test]
fn nothing_of_an_earlier_run_stays_behind() {
    let protos = Protos::new(&[("a.proto", "syntax = \"proto3\";"), ("b.proto", "syntax = \"proto3\";")]);
    protos.generate(&["a.proto"]).unwrap();
    protos.generate(&["b.proto"]).unwrap();
    assert!(std::panic::catch_unwind(|| protos.output("a.rs")).is_err());
}

#[test]
fn generated_messages_read_and_write_by_the_specification() {
    let messages = generated(
        "enum E { Z = 0; }\nmessage A {\nfloat f = 1; double d = 2; int32 i = 3; repeated E e = 4; map<uint32, bool> m = 5; A a = 6; optional float o = 7; repeated sfixed32 s = 8; repeated double r = 9; }",
    )
    .output("a.rs");
    for (code, count) in [
        ("if self.f.to_bits() != 0 {", 2),
        ("if self.d.to_bits() != 0 {", 2),
        ("wire::read_int32(is)?", 1),
        ("wire::read_enum_or_unknown(is)?", 1),
        ("wire::read_packed(", 1),
        ("wire::read_packed_fixed(", 2),
        ("wire::read_uint32(is)?", 1),
        ("wire::read_bool(is)?", 1),
        ("wire::merge_message(is, &mut self.a)?", 1),
        // The message and its map.
        ("wire::skip_unknown(tag, is)?", 2),
        ("is.read_float()?", 2),
        ("::rt::read_", 0),
        ("is.read_int32", 0),
    ] {
        assert_eq!(messages.matches(code).count(), count, "{code}");
    }
}

/// Server reflection needs it.
#[test]
fn a_service_knows_the_file_that_defines_it() {
    let protos =
        Protos::new(&[("x/type.proto", "syntax = \"proto3\"; message A {} service S { rpc Add(A) returns (A); }")]);
    protos.generate(&["x/type.proto"]).unwrap();
    let services = protos.output("type__grpc.rs");
    assert_eq!(services.matches(".described_by(super::type_::file_descriptor())").count(), 2, "{services}");
}
