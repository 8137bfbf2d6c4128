// The Calculator's client on C++ gRPC's synchronous stub: a thread for each call in flight, all on one channel.
//
//     bench-cpp-client HOST:PORT                     one call, as a program of its own
//     bench-cpp-client HOST:PORT IN_FLIGHT CALLS     a measured run (benches/compare/clients.py)

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "calc.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;

int Add(calc::Calculator::Stub& stub) {
    calc::AddRequest request;
    request.set_n1(20);
    request.set_n2(10);
    calc::AddReply reply;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    grpc::Status status = stub.Add(&context, request, &reply);
    if (!status.ok() || reply.n1() != 30) {
        std::cerr << "20 + 10 is " << reply.n1() << ": " << status.error_message() << "\n";
        std::exit(1);
    }
    return reply.n1();
}

// Makes equally many calls on each of `in_flight` threads. Returns their latencies in µs.
std::vector<double> Run(calc::Calculator::Stub& stub, int in_flight, int calls) {
    std::vector<std::vector<double>> latencies(in_flight);
    std::vector<std::thread> threads;
    for (auto& own : latencies) {
        own.reserve(calls / in_flight);
        threads.emplace_back([&stub, &own, count = calls / in_flight] {
            for (int call = 0; call < count; ++call) {
                auto began = Clock::now();
                Add(stub);
                own.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
            }
        });
    }
    std::vector<double> all;
    for (int number = 0; number < in_flight; ++number) {
        threads[number].join();
        all.insert(all.end(), latencies[number].begin(), latencies[number].end());
    }
    return all;
}

// Tells the measuring program `what`, and waits until it answers.
void Tell(const char* what) {
    std::cout << what << std::endl;
    std::string line;
    std::getline(std::cin, line);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 4) {
        std::cerr << "usage: bench-cpp-client HOST:PORT [IN_FLIGHT CALLS]\n";
        return 2;
    }
    auto stub = calc::Calculator::NewStub(grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
    if (argc == 2) {
        std::cout << Add(*stub) << "\n";
        return 0;
    }
    int in_flight = std::stoi(argv[2]), calls = std::stoi(argv[3]);
    Run(*stub, in_flight, std::max(in_flight, calls / 5));
    Tell("ready");
    std::vector<double> latencies = Run(*stub, in_flight, calls);
    Tell("done");
    std::sort(latencies.begin(), latencies.end());
    std::cout << latencies[latencies.size() / 2] << " " << latencies[latencies.size() * 99 / 100] << "\n";
}
