// The Calculator on C++ gRPC's asynchronous API: a completion queue and a thread for each core, and on each queue
// some hundred calls of each method that wait for their request.
//
//     bench-cpp HOST:PORT [--cert FILE --key FILE [--client-ca FILE]]

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "calc.grpc.pb.h"
#include "flags.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

using calc::Calculator;
using grpc::Status;
using grpc::StatusCode;

namespace {

constexpr int kSlots = 200;

// A tag of a completion queue.
class Call {
public:
    virtual ~Call() = default;
    virtual void Proceed(bool ok) = 0;
};

// A call, from waiting for its request to the end of its reply; it is then reused for the next call of its method.
template <typename Request, typename Reply> class UnaryCall final : public Call {
public:
    using Responder = grpc::ServerAsyncResponseWriter<Reply>;
    using Ask = std::function<void(grpc::ServerContext*, Request*, Responder*, void*)>;
    using Compute = Status (*)(const Request&, Reply*);

    UnaryCall(Ask ask, Compute compute) : ask_(std::move(ask)), compute_(compute) { Wait(); }

    void Proceed(bool ok) override {
        if (replied_) {
            Wait();
        } else if (ok) {
            replied_ = true;
            Status status = compute_(state_->request, &state_->reply);
            if (status.ok()) {
                state_->responder.Finish(state_->reply, status, this);
            } else {
                state_->responder.FinishWithError(status, this);
            }
        }
    }

private:
    // Objects that cannot be reused for another call.
    struct State {
        grpc::ServerContext context;
        Request request;
        Reply reply;
        Responder responder{&context};
    };

    void Wait() {
        state_ = std::make_unique<State>();
        replied_ = false;
        ask_(&state_->context, &state_->request, &state_->responder, this);
    }

    Ask ask_;
    Compute compute_;
    std::unique_ptr<State> state_;
    bool replied_ = false;
};

// A status with details: a google.rpc.Status in the metadata `grpc-status-details-bin`.
Status Fail(StatusCode code, const std::string& message, std::initializer_list<const google::protobuf::Message*> details) {
    google::rpc::Status status;
    status.set_code(code);
    status.set_message(message);
    for (auto* detail : details) {
        status.add_details()->PackFrom(*detail);
    }
    return Status(code, message, status.SerializeAsString());
}

google::rpc::ErrorInfo Info(const char* reason) {
    google::rpc::ErrorInfo info;
    info.set_reason(reason);
    info.set_domain("calc");
    return info;
}

Status Fit(const char* operation, std::int64_t n1, const char* sign, std::int64_t n2, std::int64_t result) {
    constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    if (kLeast <= result && result <= kMost) {
        return Status::OK;
    }
    std::string first = std::to_string(n1), second = std::to_string(n2), exact = std::to_string(result);
    auto info = Info("INT32_OVERFLOW");
    (*info.mutable_metadata())["operation"] = operation;
    (*info.mutable_metadata())["n1"] = first;
    (*info.mutable_metadata())["n2"] = second;
    (*info.mutable_metadata())["result"] = exact;
    return Fail(StatusCode::OUT_OF_RANGE,
                first + " " + sign + " " + second + " = " + exact + " does not fit an int32 (" +
                    std::to_string(kLeast) + " to " + std::to_string(kMost) + ")",
                {&info});
}

Status Add(const calc::AddRequest& request, calc::AddReply* reply) {
    std::int64_t n1 = request.n1(), n2 = request.n2();
    reply->set_n1(static_cast<std::int32_t>(n1 + n2));
    return Fit("Add", n1, "+", n2, n1 + n2);
}

Status Substract(const calc::SubstractRequest& request, calc::SubstractReply* reply) {
    std::int64_t n1 = request.n1(), n2 = request.n2();
    reply->set_n1(static_cast<std::int32_t>(n1 - n2));
    return Fit("Substract", n1, "-", n2, n1 - n2);
}

Status Multiply(const calc::MultiplyRequest& request, calc::MeuliplyReply* reply) {
    std::int64_t n1 = request.n1(), n2 = request.n2();
    reply->set_n1(static_cast<std::int32_t>(n1 * n2));
    return Fit("Multiply", n1, "*", n2, n1 * n2);
}

Status Divide(const calc::DivideRequest& request, calc::DivideReply* reply) {
    if (request.n2() == 0) {
        google::rpc::BadRequest request;
        auto* violation = request.add_field_violations();
        violation->set_field("n2");
        violation->set_description("must not be zero");
        auto info = Info("DIVISION_BY_ZERO");
        return Fail(StatusCode::INVALID_ARGUMENT, "division by zero", {&request, &info});
    }
    reply->set_f1(static_cast<float>(static_cast<double>(request.n1()) / request.n2()));
    return Status::OK;
}

// Serves the events of one queue.
void Serve(Calculator::AsyncService* service, grpc::ServerCompletionQueue* queue) {
    std::vector<std::unique_ptr<Call>> calls;
    auto wait_for = [&](auto method, auto compute, auto request, auto reply) {
        using Request = decltype(request);
        using Reply = decltype(reply);
        auto ask = [=](grpc::ServerContext* context, Request* into, auto* responder, void* tag) {
            (service->*method)(context, into, responder, queue, queue, tag);
        };
        calls.push_back(std::make_unique<UnaryCall<Request, Reply>>(ask, compute));
    };
    using Service = Calculator::AsyncService;
    for (int slot = 0; slot < kSlots; ++slot) {
        wait_for(&Service::RequestAdd, Add, calc::AddRequest(), calc::AddReply());
        wait_for(&Service::RequestSubstract, Substract, calc::SubstractRequest(), calc::SubstractReply());
        wait_for(&Service::RequestMultiply, Multiply, calc::MultiplyRequest(), calc::MeuliplyReply());
        wait_for(&Service::RequestDivide, Divide, calc::DivideRequest(), calc::DivideReply());
    }
    void* tag;
    bool ok;
    while (queue->Next(&tag, &ok)) {
        static_cast<Call*>(tag)->Proceed(ok);
    }
}

std::shared_ptr<grpc::ServerCredentials> Credentials(const Flags& flags) {
    if (!flags.Has("--cert")) {
        return grpc::InsecureServerCredentials();
    }
    grpc::SslServerCredentialsOptions options(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    options.pem_key_cert_pairs = {{flags.Read("--key"), flags.Read("--cert")}};
    if (flags.Has("--client-ca")) {
        options.client_certificate_request = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
        options.pem_root_certs = flags.Read("--client-ca");
    }
    return grpc::SslServerCredentials(options);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::cerr << "usage: bench-cpp HOST:PORT [--cert FILE --key FILE [--client-ca FILE]]\n";
        return 2;
    }
    std::string address = argv[1];
    int port = 0;
    Calculator::AsyncService service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, Credentials(Flags(argc, argv)), &port);
    builder.RegisterService(&service);
    std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
    for (unsigned core = 0; core < std::max(1u, std::thread::hardware_concurrency()); ++core) {
        queues.push_back(builder.AddCompletionQueue());
    }
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (!server || port == 0) {
        std::cerr << "cannot listen on " << address << "\n";
        return 1;
    }
    std::vector<std::thread> threads;
    for (auto& queue : queues) {
        threads.emplace_back(Serve, &service, queue.get());
    }
    std::cout << "listening on " << address.substr(0, address.rfind(':')) << ":" << port << std::endl;
    for (auto& thread : threads) {
        thread.join();
    }
}
