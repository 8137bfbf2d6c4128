//! Server reflection: Python's client on our server, and our client on Python's server.

use grpcio_kit::reflection::Conflict;
use grpcio_kit::reflection_client::{ReflectionClient, ReflectionError};
use grpcio_kit::{CallOptions, Channel, Server, ServerBuilder, ServiceBuilder, StartError};
use protobuf::descriptor::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    MethodOptions,
};
use protobuf::reflect::FileDescriptor;

use crate::common::process::{ServerProcess, python, stdout_of};
use crate::common::protoc::{compile, folder};
use crate::common::{PATIENCE, calculator, channel, start, target};
use crate::protos::{kinds, shapes};

/// A service without methods.
fn named(name: &'static str) -> ServiceBuilder {
    ServiceBuilder::new(name)
}

#[test]
fn python_gets_the_right_response_to_every_kind_of_request() {
    let files = FileDescriptor::new_dynamic_fds(compile(&folder(), &["reflected/proto2.proto"]), &[]).unwrap();
    let file = files.iter().find(|file| file.name() == "reflected/proto2.proto").unwrap();
    let server = Server::builder()
        .service(named("test.Undescribed").build())
        .service(named("test.Kinds").described_by(kinds::file_descriptor()).build())
        .reflected_file(file)
        .reflection(true);
    let server = start(server);
    let output = stdout_of(python("tests/python/reflection.py").arg(target(&server)));
    assert_eq!(output, "all responses are correct\n");
}

/// Other implementations refuse some that deviate, such as those whose synthetic oneofs do not come last.
#[test]
fn generated_code_has_the_descriptors_that_protoc_makes() {
    let mut files = compile(&folder(), &["kinds.proto"]);
    // Of a method with `{}`, protoc says that its options are empty, and protox that it has none.
    let methods = files.iter_mut().flat_map(|file| &mut file.service).flat_map(|service| &mut service.method);
    methods.filter(|method| method.options.as_ref() == Some(&MethodOptions::new())).for_each(|method| {
        method.options.take();
    });
    let find = |name: &str| files.iter().find(|file| file.name() == name).unwrap();
    assert_eq!(find("kinds.proto"), kinds::file_descriptor().proto());
    assert_eq!(find("shapes.proto"), shapes::file_descriptor().proto());
}

#[test]
fn a_python_client_without_protos_divides_by_reflection() {
    let server = calculator();
    assert_eq!(stdout_of(python("tests/python/divide_by_reflection.py").arg(target(&server))), "2.5\n");
}

fn client(channel: Channel) -> ReflectionClient {
    ReflectionClient::new(channel, CallOptions::default().timeout(PATIENCE))
}

const METHODS: [&str; 4] = ["Add", "Substract", "Multiply", "Divide"];

#[test]
fn our_client_lists_services_and_methods() {
    let server = calculator();
    let client = client(channel(&server));
    assert!(client.services().unwrap().contains(&"calc.Calculator".to_owned()));
    assert_eq!(client.methods("calc.Calculator").unwrap(), METHODS);
    for name in ["calc.AddRequest", "calc.AddRequest.n1", "calc.Calculator.Add"] {
        assert_eq!(client.methods(name), Err(ReflectionError::NotAService(name.to_owned())));
    }
    assert!(matches!(client.methods("calc.Nothing"), Err(ReflectionError::NotFound { .. })));
}

/// Python's servers have v1alpha only.
#[test]
fn our_client_falls_back_to_v1alpha() {
    let server = ServerProcess::start(python("tests/python/reflecting_server.py").arg("calc.Calculator"));
    let client = client(Channel::connect(server.target()).unwrap());
    assert_eq!(client.services().unwrap(), ["calc.Calculator"]);
    assert_eq!(client.methods("calc.Calculator").unwrap(), METHODS);
    assert!(matches!(client.methods("calc.Nothing"), Err(ReflectionError::NotFound { .. })));
}

#[test]
fn a_server_without_reflection_does_not_offer_it() {
    let server = start(Server::builder().service(named("test.Undescribed").build()));
    assert_eq!(client(channel(&server)).services(), Err(ReflectionError::NotOffered));
}

/// A file with a message of this name.
fn file(name: &str, message: &str) -> FileDescriptorProto {
    let message = DescriptorProto { name: Some(message.into()), ..Default::default() };
    FileDescriptorProto { name: Some(name.into()), message_type: vec![message], ..Default::default() }
}

fn reflecting(files: &[FileDescriptorProto]) -> Result<Server, Conflict> {
    let file = |file: &FileDescriptorProto| FileDescriptor::new_dynamic(file.clone(), &[]).unwrap();
    let add = |server: ServerBuilder, proto| server.reflected_file(&file(proto));
    let server = files.iter().fold(Server::builder().reflection(true), add);
    server.listen("127.0.0.1:0".parse().unwrap()).start().map_err(|error| match error {
        StartError::Reflection(conflict) => conflict,
        other => panic!("{other}"),
    })
}

#[test]
fn the_same_file_may_be_added_twice() {
    reflecting(&[file("a.proto", "A"), file("b.proto", "B"), file("a.proto", "A")]).unwrap();
}

#[test]
fn a_server_with_conflicting_files_does_not_start() {
    let conflict = |files: &[FileDescriptorProto]| reflecting(files).err().unwrap();
    let error = conflict(&[file("a.proto", "A"), file("a.proto", "B")]);
    assert!(matches!(&error, Conflict::File(name) if name == "a.proto"), "{error}");

    let error = conflict(&[file("a.proto", "A"), file("b.proto", "A")]);
    assert_eq!(error.to_string(), "`A` is defined in `a.proto` and again in `b.proto`");

    // The values of an enum are its siblings.
    let value = EnumValueDescriptorProto { name: Some("A".into()), number: Some(0), ..Default::default() };
    let level = EnumDescriptorProto { name: Some("Level".into()), value: vec![value], ..Default::default() };
    let same = FileDescriptorProto { enum_type: vec![level], ..file("a.proto", "A") };
    assert_eq!(conflict(&[same]).to_string(), "`A` is defined in `a.proto` and again in `a.proto`");

    let extension = |name: &str| FieldDescriptorProto {
        name: Some(name.into()),
        number: Some(9),
        type_: Some(protobuf::descriptor::field_descriptor_proto::Type::TYPE_BOOL.into()),
        extendee: Some(".A".into()),
        ..Default::default()
    };
    let extended = FileDescriptorProto { extension: vec![extension("x"), extension("y")], ..file("a.proto", "A") };
    let error = conflict(&[extended]);
    assert!(matches!(&error, Conflict::Extension { message, number: 9, .. } if message == "A"), "{error}");
}

#[test]
fn a_second_reflection_service_is_an_error() {
    let server = Server::builder().service(named("grpc.reflection.v1.ServerReflection").build()).reflection(true);
    let error = server.listen("127.0.0.1:0".parse().unwrap()).start().err().unwrap();
    assert!(matches!(error, StartError::DuplicateService("grpc.reflection.v1.ServerReflection")), "{error}");
}
