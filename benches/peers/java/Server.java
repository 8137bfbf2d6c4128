import com.google.protobuf.Any;
import com.google.rpc.Status;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCalls;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The Calculator on grpc-java: java Server HOST:PORT [--cert FILE --key FILE [--client-ca FILE]] */
final class Server {
    private static StatusRuntimeException failure(Code code, String message, List<Any> details) {
        return StatusProto.toStatusRuntimeException(
                Status.newBuilder().setCode(code.value()).setMessage(message).addAllDetails(details).build());
    }

    private static int fit(String operation, long n1, String sign, long n2, long result) {
        if (result == (int) result) {
            return (int) result;
        }
        String message =
                String.format(
                        "%d %s %d = %d does not fit an int32 (%d to %d)",
                        n1, sign, n2, result, Integer.MIN_VALUE, Integer.MAX_VALUE);
        throw failure(
                Code.OUT_OF_RANGE, message, List.of(Any.pack(Contract.overflow(operation, n1, n2, result))));
    }

    private static calc.Calc.AddReply add(calc.Calc.AddRequest request) {
        long n1 = request.getN1(), n2 = request.getN2();
        return calc.Calc.AddReply.newBuilder().setN1(fit("Add", n1, "+", n2, n1 + n2)).build();
    }

    private static calc.Calc.SubstractReply substract(calc.Calc.SubstractRequest request) {
        long n1 = request.getN1(), n2 = request.getN2();
        return calc.Calc.SubstractReply.newBuilder().setN1(fit("Substract", n1, "-", n2, n1 - n2)).build();
    }

    private static calc.Calc.MeuliplyReply multiply(calc.Calc.MultiplyRequest request) {
        long n1 = request.getN1(), n2 = request.getN2();
        return calc.Calc.MeuliplyReply.newBuilder().setN1(fit("Multiply", n1, "*", n2, n1 * n2)).build();
    }

    private static calc.Calc.DivideReply divide(calc.Calc.DivideRequest request) {
        if (request.getN2() == 0) {
            throw failure(Code.INVALID_ARGUMENT, "division by zero", Contract.DIVISION_BY_ZERO);
        }
        return calc.Calc.DivideReply.newBuilder().setF1((float) ((double) request.getN1() / request.getN2())).build();
    }

    private static <Q, R> void add(
            ServerServiceDefinition.Builder service, MethodDescriptor<Q, R> method, Function<Q, R> compute) {
        service.addMethod(
                method,
                ServerCalls.asyncUnaryCall(
                        (request, observer) -> {
                            R reply;
                            try {
                                reply = compute.apply(request);
                            } catch (StatusRuntimeException failed) {
                                observer.onError(failed);
                                return;
                            }
                            observer.onNext(reply);
                            observer.onCompleted();
                        }));
    }

    public static void main(String[] arguments) throws Exception {
        int colon = arguments[0].lastIndexOf(':');
        String host = arguments[0].substring(0, colon);
        int port = Integer.parseInt(arguments[0].substring(colon + 1));
        NettyServerBuilder server = NettyServerBuilder.forAddress(new InetSocketAddress(host, port));

        Map<String, String> flags = Contract.flags(arguments);
        if (flags.containsKey("--cert")) {
            SslContextBuilder tls =
                    SslContextBuilder.forServer(new File(flags.get("--cert")), new File(flags.get("--key")));
            if (flags.containsKey("--client-ca")) {
                tls.trustManager(new File(flags.get("--client-ca"))).clientAuth(ClientAuth.REQUIRE);
            }
            server.sslContext(GrpcSslContexts.configure(tls, SslProvider.OPENSSL).build());
        }

        ServerServiceDefinition.Builder service = ServerServiceDefinition.builder("calc.Calculator");
        add(service, Contract.ADD, Server::add);
        add(service, Contract.SUBSTRACT, Server::substract);
        add(service, Contract.MULTIPLY, Server::multiply);
        add(service, Contract.DIVIDE, Server::divide);
        io.grpc.Server started = server.addService(service.build()).build().start();
        System.out.println("listening on " + host + ":" + started.getPort());
        started.awaitTermination();
    }

    private Server() {}
}
