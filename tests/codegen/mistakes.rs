//! A mistake in a `.proto` file is reported with its file, its line and a reason.

use super::{Protos, mistake};

#[test]
fn a_syntax_error_names_its_place_and_what_is_there() {
    assert_eq!(
        mistake("message A {\n  int32 a = 1\n}\n"),
        "protos/a.proto:5:1: While parsing field, expecting char `;` (near `}`)"
    );
    assert_eq!(
        mistake("service S {\n  rpc Add(A) retuns (A);\n}\n"),
        "protos/a.proto:4:14: Expecting identifier `returns` (near `retuns`)"
    );
    assert_eq!(mistake("message A {"), "protos/a.proto:3:12: Unexpected end of input (at the end of the file)");
    assert_eq!(mistake("\n /* open\n*"), "protos/a.proto:4:2: this comment is not closed");
}

#[test]
fn an_unknown_type_names_the_line_that_uses_it() {
    assert_eq!(
        mistake("message A {\n  // Foo\n  int32 Foo = 1;\n  Foo a = 2;\n}\n"),
        "protos/a.proto:6:3: there is no message or enum `Foo` here, nor in what is imported"
    );
    assert_eq!(
        mistake("service S {\n  rpc Add(A.B) returns (A.C);\n}\nmessage A { message B {} }\n"),
        "protos/a.proto:4:25: there is no message or enum `A.C` here, nor in what is imported"
    );
    assert_eq!(
        mistake("message A {\n  .t.Foo a = 1;\n}\n"),
        "protos/a.proto:4:4: there is no message or enum `.t.Foo` here, nor in what is imported"
    );
}

/// The first `Inner` is known where it stands.
#[test]
fn an_unknown_type_is_looked_for_in_its_scope() {
    let contents = "message A {\n  message Inner {}\n  Inner a = 1;\n}\nmessage B {\n  Inner b = 1;\n}\n";
    assert!(mistake(contents).starts_with("protos/a.proto:8:3: "), "{}", mistake(contents));
}

#[test]
fn an_enum_is_no_request() {
    assert_eq!(
        mistake("enum E { ZERO = 0; }\nservice S {\n  rpc Add(E) returns (E);\n}\n"),
        "protos/a.proto:5:11: `.t.E` is not a message"
    );
}

#[test]
fn a_missing_import_names_its_line() {
    assert_eq!(
        mistake("import \"google/protobuf/any.proto\";\nimport \"no.proto\";\n"),
        "protos/a.proto:4:8: `no.proto` is imported, but is not in the folder protos"
    );
}

#[test]
fn an_import_that_is_not_an_input_is_reported() {
    let protos =
        Protos::new(&[("a.proto", "syntax = \"proto3\";\nimport \"b.proto\";"), ("b.proto", "syntax = \"proto3\";")]);
    assert_eq!(
        protos.generate(&["a.proto"]).unwrap_err(),
        ["protos/a.proto:2:8: `b.proto` is imported, but no code is generated for it: \
          add it to the files of this module in build.rs"]
    );
    protos.generate(&["a.proto", "b.proto"]).unwrap();
}

/// rust-protobuf overflows its stack.
#[test]
fn files_that_import_each_other_are_reported() {
    let protos = Protos::new(&[
        ("a.proto", "syntax = \"proto3\";\nimport \"b.proto\";"),
        ("b.proto", "syntax = \"proto3\";\n\nimport \"a.proto\";"),
    ]);
    assert_eq!(
        protos.generate(&["a.proto", "b.proto"]).unwrap_err(),
        ["protos/b.proto:3:8: `a.proto` imports itself, by way of this import"]
    );
}

#[test]
fn a_missing_input_is_reported() {
    let mistakes = Protos::new(&[]).generate(&["a.proto"]).unwrap_err();
    assert!(mistakes[0].starts_with("protos/a.proto:1: cannot read protos/a.proto: "), "{mistakes:?}");
}

#[test]
fn a_mistake_in_an_imported_file_names_that_file() {
    let protos = Protos::new(&[
        ("a.proto", "syntax = \"proto3\";\nimport \"dir/b.proto\";"),
        ("dir/b.proto", "syntax = \"proto3\";\nmessage B { Foo foo = 1; }"),
    ]);
    let mistakes = protos.generate(&["a.proto", "dir/b.proto"]).unwrap_err();
    assert_eq!(mistakes, ["protos/dir/b.proto:2:13: there is no message or enum `Foo` here, nor in what is imported"]);
}

#[test]
fn inputs_with_the_same_base_name_are_reported() {
    let empty = "syntax = \"proto3\";";
    let protos = Protos::new(&[("x/a.proto", empty), ("y/a.proto", empty)]);
    assert_eq!(
        protos.generate(&["x/a.proto", "y/a.proto"]).unwrap_err(),
        ["protos/y/a.proto:1: its Rust module `a` is also that of protos/x/a.proto: rename one"]
    );
}

#[test]
fn a_file_named_like_the_services_of_another_is_reported() {
    let service = "syntax = \"proto3\";\nservice S {}";
    let protos = Protos::new(&[("a.proto", service), ("a_grpc.proto", "syntax = \"proto3\";")]);
    assert_eq!(
        protos.generate(&["a.proto", "a_grpc.proto"]).unwrap_err(),
        ["protos/a_grpc.proto:1: its Rust module `a_grpc` is also that of protos/a.proto: rename one"]
    );
}

#[test]
fn methods_that_have_the_same_name_in_rust_are_reported() {
    assert_eq!(
        mistake("message A {}\nservice S {\n  rpc DoIt(A) returns (A);\n  rpc doIt(A) returns (A);\n}\n"),
        "protos/a.proto:6:7: `t.S.DoIt` and `t.S.doIt` both become `do_it` in Rust"
    );
}

#[test]
fn services_that_have_the_same_name_in_rust_are_reported() {
    assert_eq!(
        mistake("service Foo {}\nservice FooClient {}\n"),
        "protos/a.proto:4:9: `t.Foo` and `t.FooClient` both become `FooClient` in Rust"
    );
}

#[test]
fn fields_with_the_same_number_are_reported() {
    assert_eq!(
        mistake("message A {\n  int32 a = 1;\n  oneof choice {\n    int32 b = 0x1;\n  }\n}\n"),
        "protos/a.proto:6:11: `t.A.a` and `t.A.b` have the same number, 1"
    );
}

#[test]
fn numbers_that_no_field_can_have_are_reported() {
    assert_eq!(
        mistake("message A {\n  int32 a = 0;\n}\n"),
        "protos/a.proto:4:9: field number 0 is not between 1 and 536870911"
    );
    assert_eq!(
        mistake("message A {\n  int32 a = 19000;\n}\n"),
        "protos/a.proto:4:9: field number 19000: 19000 to 19999 are reserved for protobuf itself"
    );
}

#[test]
fn a_name_that_is_declared_twice_is_reported() {
    assert_eq!(
        mistake("message A {}\nservice A {}\n"),
        "protos/a.proto:4:9: `t.A` is declared twice; the other one is in protos/a.proto:3"
    );
    let method = "message A {}\nservice S {\n  rpc Add(A) returns (A);\n  rpc Add(A) returns (A) {}\n}\n";
    assert_eq!(
        mistake(method),
        "protos/a.proto:6:7: `t.S.Add` is declared twice; the other one is in protos/a.proto:5"
    );
}

/// rust-protobuf panics.
#[test]
fn an_enum_without_values_is_reported() {
    assert_eq!(mistake("enum E {}\nmessage A { E e = 1; }\n"), "protos/a.proto:3:6: the enum `t.E` has no values");
    assert_eq!(
        mistake("enum E {\n  ONE = 1;\n}\n"),
        "protos/a.proto:4:3: `t.E.ONE` is the first value of its enum, and has to be 0 in proto3"
    );
}

#[test]
fn all_mistakes_of_a_kind_are_reported_at_once() {
    let protos = Protos::new(&[("a.proto", "syntax = \"proto3\";\nimport \"x.proto\";\nimport \"y.proto\";\n")]);
    assert_eq!(protos.generate(&["a.proto", "b.proto"]).unwrap_err().len(), 3);
}
