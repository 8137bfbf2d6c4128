// Checks a Calculator with C++ gRPC: prints a line for each check (script/interop).
//
//     bench-cpp-check TARGET [--ca FILE [--cert FILE --key FILE]] [--refused]

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "calc.grpc.pb.h"
#include "flags.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace {

using calc::Calculator;
using grpc::StatusCode;
using std::chrono::milliseconds;

// Concurrent calls, each with operands of its own.
constexpr int kCalls = 10'000;
// The deadline of calls that must succeed, and of one that must not.
constexpr milliseconds kPatience{60'000}, kShort{200};

void Require(bool holds, const std::string& what) {
    if (!holds) {
        std::cerr << what << "\n";
        std::exit(1);
    }
}

void Passed(const char* check) { std::cout << check << std::endl; }

template <typename Request> Request Operands(int n1, int n2) {
    Request request;
    request.set_n1(n1);
    request.set_n2(n2);
    return request;
}

void SetDeadline(grpc::ClientContext& context, milliseconds from_now) {
    context.set_deadline(std::chrono::system_clock::now() + from_now);
}

template <typename Reply, typename Method, typename Request>
grpc::Status Call(Calculator::Stub& stub, Method method, const Request& request, Reply* reply) {
    grpc::ClientContext context;
    SetDeadline(context, kPatience);
    return (stub.*method)(&context, request, reply);
}

void Add(Calculator::Stub& stub, int n1, int n2) {
    calc::AddReply reply;
    auto status = Call(stub, &Calculator::Stub::Add, Operands<calc::AddRequest>(n1, n2), &reply);
    Require(status.ok() && reply.n1() == n1 + n2, "a sum is wrong: " + status.error_message());
}

void FourCalls(Calculator::Stub& stub) {
    using Stub = Calculator::Stub;
    Add(stub, 20, 10);
    calc::SubstractReply difference;
    Require(Call(stub, &Stub::Substract, Operands<calc::SubstractRequest>(20, 10), &difference).ok(), "Substract failed");
    Require(difference.n1() == 10, "a difference is wrong");
    calc::MeuliplyReply product;
    Require(Call(stub, &Stub::Multiply, Operands<calc::MultiplyRequest>(20, 10), &product).ok(), "Multiply failed");
    Require(product.n1() == 200, "a product is wrong");
    calc::DivideReply quotient;
    Require(Call(stub, &Stub::Divide, Operands<calc::DivideRequest>(10, 2), &quotient).ok(), "Divide failed");
    Require(quotient.f1() == 5, "a quotient is wrong");
}

// The details of a status with this code and message.
google::rpc::Status Details(const grpc::Status& status, StatusCode code, const std::string& message, int details) {
    google::rpc::Status parsed;
    Require(status.error_code() == code && status.error_message() == message,
            "the status is " + std::to_string(status.error_code()) + ": " + status.error_message());
    Require(parsed.ParseFromString(status.error_details()) && parsed.code() == code && parsed.message() == message &&
                parsed.details_size() == details,
            "the details are " + parsed.ShortDebugString());
    return parsed;
}

bool IsInfo(const google::protobuf::Any& detail, const std::string& reason, google::rpc::ErrorInfo* info) {
    return detail.UnpackTo(info) && info->reason() == reason && info->domain() == "calc";
}

void TwoErrors(Calculator::Stub& stub) {
    google::rpc::ErrorInfo info;
    calc::AddReply sum;
    auto status = Call(stub, &Calculator::Stub::Add, Operands<calc::AddRequest>(2147483647, 1), &sum);
    auto details = Details(status, StatusCode::OUT_OF_RANGE,
                           "2147483647 + 1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)", 1);
    auto& metadata = *info.mutable_metadata();
    Require(IsInfo(details.details(0), "INT32_OVERFLOW", &info) && metadata.size() == 4 && metadata["operation"] == "Add" &&
                metadata["n1"] == "2147483647" && metadata["n2"] == "1" && metadata["result"] == "2147483648",
            "the info is " + info.ShortDebugString());

    calc::DivideReply quotient;
    status = Call(stub, &Calculator::Stub::Divide, Operands<calc::DivideRequest>(1, 0), &quotient);
    details = Details(status, StatusCode::INVALID_ARGUMENT, "division by zero", 2);
    google::rpc::BadRequest bad;
    Require(details.details(0).UnpackTo(&bad) && bad.field_violations_size() == 1 &&
                bad.field_violations(0).field() == "n2" && bad.field_violations(0).description() == "must not be zero",
            "the request is " + bad.ShortDebugString());
    Require(IsInfo(details.details(1), "DIVISION_BY_ZERO", &info), "the info is " + info.ShortDebugString());
}

// Starts all calls, and then takes their replies.
void ConcurrentCalls(Calculator::Stub& stub) {
    struct InFlight {
        grpc::ClientContext context;
        calc::AddReply reply;
        grpc::Status status;
        std::unique_ptr<grpc::ClientAsyncResponseReader<calc::AddReply>> reader;
    };
    grpc::CompletionQueue queue;
    std::vector<InFlight> calls(kCalls);
    for (int n = 0; n < kCalls; ++n) {
        auto& call = calls[n];
        SetDeadline(call.context, kPatience);
        call.reader = stub.AsyncAdd(&call.context, Operands<calc::AddRequest>(n, 1), &queue);
        call.reader->Finish(&call.reply, &call.status, &call);
    }
    void* tag;
    bool ok;
    for (int n = 0; n < kCalls; ++n) {
        Require(queue.Next(&tag, &ok) && ok, "a concurrent call has no status");
    }
    for (int n = 0; n < kCalls; ++n) {
        auto& call = calls[n];
        Require(call.status.ok() && call.reply.n1() == n + 1, "a concurrent call is wrong: " + call.status.error_message());
    }
}

// A call whose request never comes: it is in flight until it ends.
class OpenCall {
public:
    OpenCall(const std::shared_ptr<grpc::Channel>& channel, milliseconds timeout) : stub_(channel) {
        SetDeadline(context_, timeout);
        call_ = stub_.PrepareCall(&context_, "/calc.Calculator/Add", &queue_);
        call_->StartCall(this);
        Wait();
    }

    void Cancel() { context_.TryCancel(); }

    StatusCode End() {
        grpc::Status status;
        call_->Finish(&status, this);
        Wait();
        return status.error_code();
    }

private:
    void Wait() {
        void* tag;
        bool ok;
        Require(queue_.Next(&tag, &ok), "a call without its request is lost");
    }

    grpc::GenericStub stub_;
    grpc::ClientContext context_;
    grpc::CompletionQueue queue_;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

void CallsWithoutRequest(const std::shared_ptr<grpc::Channel>& channel, Calculator::Stub& stub) {
    Require(OpenCall(channel, kShort).End() == StatusCode::DEADLINE_EXCEEDED, "a deadline has another status");
    Add(stub, 1, 1);
    Passed("deadline");
    OpenCall cancelled(channel, kPatience);
    // The connection is in order: the server has its headers when it replies to this one.
    Add(stub, 1, 2);
    cancelled.Cancel();
    Require(cancelled.End() == StatusCode::CANCELLED, "a cancelled call has another status");
    Add(stub, 1, 3);
    Passed("cancellation");
}

std::shared_ptr<grpc::ChannelCredentials> Credentials(const Flags& flags) {
    if (!flags.Has("--ca")) {
        return grpc::InsecureChannelCredentials();
    }
    return grpc::SslCredentials({flags.Read("--ca"), flags.Read("--key"), flags.Read("--cert")});
}

}  // namespace

int main(int argc, char** argv) {
    Require(argc >= 2, "usage: bench-cpp-check TARGET [--ca FILE [--cert FILE --key FILE]] [--refused]");
    Flags flags(argc, argv);
    auto channel = grpc::CreateChannel(argv[1], Credentials(flags));
    auto stub = Calculator::NewStub(channel);
    if (flags.Has("--refused")) {
        calc::AddReply reply;
        auto status = Call(*stub, &Calculator::Stub::Add, Operands<calc::AddRequest>(1, 1), &reply);
        Require(status.error_code() == StatusCode::UNAVAILABLE, "the call has another status: " + status.error_message());
        Passed("refused");
        return 0;
    }
    FourCalls(*stub);
    Passed("calls");
    TwoErrors(*stub);
    Passed("errors");
    ConcurrentCalls(*stub);
    Passed("concurrency");
    CallsWithoutRequest(channel, *stub);
}
