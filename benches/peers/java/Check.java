import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Checks a Calculator with grpc-java: prints a line for each check (script/interop).
 *
 * <p>java Check TARGET [--ca FILE [--cert FILE --key FILE]] [--refused]
 */
final class Check {
    /** Concurrent calls, each with operands of its own. */
    private static final int CALLS = 10_000;
    /** The deadline of calls that must succeed, and of one that must not, in milliseconds. */
    private static final long PATIENCE = 60_000, SHORT = 200;

    private final ManagedChannel channel;

    private Check(ManagedChannel channel) {
        this.channel = channel;
    }

    private static void equal(String what, Object got, Object expected) {
        if (!got.equals(expected)) {
            System.err.println(what + ": expected " + expected + ", got " + got);
            System.exit(1);
        }
    }

    private static CallOptions deadline(long milliseconds) {
        return CallOptions.DEFAULT.withDeadlineAfter(milliseconds, TimeUnit.MILLISECONDS);
    }

    private ListenableFuture<calc.Calc.AddReply> start(int n1, int n2) {
        return ClientCalls.futureUnaryCall(
                channel.newCall(Contract.ADD, deadline(PATIENCE)),
                calc.Calc.AddRequest.newBuilder().setN1(n1).setN2(n2).build());
    }

    private int add(int n1, int n2) {
        return ClientCalls.blockingUnaryCall(
                        channel,
                        Contract.ADD,
                        deadline(PATIENCE),
                        calc.Calc.AddRequest.newBuilder().setN1(n1).setN2(n2).build())
                .getN1();
    }

    private float divide(int n1, int n2) {
        return ClientCalls.blockingUnaryCall(
                        channel,
                        Contract.DIVIDE,
                        deadline(PATIENCE),
                        calc.Calc.DivideRequest.newBuilder().setN1(n1).setN2(n2).build())
                .getF1();
    }

    private void fourCalls() {
        equal("Add", add(20, 10), 30);
        var substract = calc.Calc.SubstractRequest.newBuilder().setN1(20).setN2(10).build();
        var difference = ClientCalls.blockingUnaryCall(channel, Contract.SUBSTRACT, deadline(PATIENCE), substract);
        equal("Substract", difference.getN1(), 10);
        var multiply = calc.Calc.MultiplyRequest.newBuilder().setN1(20).setN2(10).build();
        var product = ClientCalls.blockingUnaryCall(channel, Contract.MULTIPLY, deadline(PATIENCE), multiply);
        equal("Multiply", product.getN1(), 200);
        equal("Divide", divide(10, 2), 5f);
    }

    private static StatusRuntimeException error(Runnable call) {
        try {
            call.run();
        } catch (StatusRuntimeException failed) {
            return failed;
        }
        throw new AssertionError("a call that must fail succeeded");
    }

    private static void checkStatus(StatusRuntimeException failed, Status.Code code, String message) {
        equal("the code of an error", failed.getStatus().getCode(), code);
        equal("its message", failed.getStatus().getDescription(), message);
    }

    private void twoErrors() throws Exception {
        var overflow = error(() -> add(Integer.MAX_VALUE, 1));
        checkStatus(
                overflow,
                Status.Code.OUT_OF_RANGE,
                "2147483647 + 1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)");
        var details = StatusProto.fromThrowable(overflow).getDetailsList();
        equal("the number of its details", details.size(), 1);
        // Not compared as bytes: the entries of a map have no order.
        equal(
                "its details",
                details.get(0).unpack(com.google.rpc.ErrorInfo.class),
                Contract.overflow("Add", Integer.MAX_VALUE, 1, 1L + Integer.MAX_VALUE));
        var division = error(() -> divide(1, 0));
        checkStatus(division, Status.Code.INVALID_ARGUMENT, "division by zero");
        equal("its details", StatusProto.fromThrowable(division).getDetailsList(), Contract.DIVISION_BY_ZERO);
    }

    private void concurrentCalls() throws Exception {
        List<ListenableFuture<calc.Calc.AddReply>> calls = new ArrayList<>();
        for (int n = 0; n < CALLS; n++) {
            calls.add(start(n, 1));
        }
        for (int n = 0; n < CALLS; n++) {
            equal("a concurrent call", calls.get(n).get().getN1(), n + 1);
        }
    }

    /** Starts a call whose request never comes: it is in flight until it ends, with the status of `code`. */
    private ClientCall<?, ?> open(long milliseconds, CompletableFuture<Status.Code> code) {
        var call = channel.newCall(Contract.ADD, deadline(milliseconds));
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        code.complete(status.getCode());
                    }
                },
                new Metadata());
        call.request(1);
        return call;
    }

    private void callsWithoutRequest() throws Exception {
        CompletableFuture<Status.Code> code = new CompletableFuture<>();
        open(SHORT, code);
        equal("a deadline", code.get(), Status.Code.DEADLINE_EXCEEDED);
        equal("a sum", add(1, 1), 2);
        System.out.println("deadline");
        code = new CompletableFuture<>();
        ClientCall<?, ?> cancelled = open(PATIENCE, code);
        // The connection is in order: the server has its headers when it replies to this one.
        equal("a sum", add(1, 2), 3);
        cancelled.cancel("cancelled", null);
        equal("a cancelled call", code.get(), Status.Code.CANCELLED);
        equal("a sum", add(1, 3), 4);
        System.out.println("cancellation");
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> flags = Contract.flags(arguments);
        NettyChannelBuilder builder = NettyChannelBuilder.forTarget(arguments[0]);
        if (flags.containsKey("--ca")) {
            SslContextBuilder tls = SslContextBuilder.forClient().trustManager(new File(flags.get("--ca")));
            if (flags.containsKey("--cert")) {
                tls.keyManager(new File(flags.get("--cert")), new File(flags.get("--key")));
            }
            builder.sslContext(GrpcSslContexts.configure(tls, SslProvider.OPENSSL).build());
        } else {
            builder.usePlaintext();
        }
        Check check = new Check(builder.build());
        if (flags.containsKey("--refused")) {
            equal("a call", error(() -> check.add(1, 1)).getStatus().getCode(), Status.Code.UNAVAILABLE);
            System.out.println("refused");
            System.exit(0);
        }
        check.fourCalls();
        System.out.println("calls");
        check.twoErrors();
        System.out.println("errors");
        check.concurrentCalls();
        System.out.println("concurrency");
        check.callsWithoutRequest();
        System.exit(0);
    }
}
