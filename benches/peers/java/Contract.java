import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoUtils;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The Calculator's methods, the details of its errors, and the flags of the programs. */
final class Contract {
    static final MethodDescriptor<calc.Calc.AddRequest, calc.Calc.AddReply> ADD =
            method("Add", calc.Calc.AddRequest.getDefaultInstance(), calc.Calc.AddReply.getDefaultInstance());
    static final MethodDescriptor<calc.Calc.SubstractRequest, calc.Calc.SubstractReply> SUBSTRACT =
            method(
                    "Substract",
                    calc.Calc.SubstractRequest.getDefaultInstance(),
                    calc.Calc.SubstractReply.getDefaultInstance());
    static final MethodDescriptor<calc.Calc.MultiplyRequest, calc.Calc.MeuliplyReply> MULTIPLY =
            method(
                    "Multiply",
                    calc.Calc.MultiplyRequest.getDefaultInstance(),
                    calc.Calc.MeuliplyReply.getDefaultInstance());
    static final MethodDescriptor<calc.Calc.DivideRequest, calc.Calc.DivideReply> DIVIDE =
            method("Divide", calc.Calc.DivideRequest.getDefaultInstance(), calc.Calc.DivideReply.getDefaultInstance());

    /** What the generator of stubs writes; Debian's needs annotations that its JDK no longer has. */
    private static <Q extends Message, R extends Message> MethodDescriptor<Q, R> method(String name, Q request, R reply) {
        return MethodDescriptor.<Q, R>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName("calc.Calculator/" + name)
                .setRequestMarshaller(ProtoUtils.marshaller(request))
                .setResponseMarshaller(ProtoUtils.marshaller(reply))
                .build();
    }

    static ErrorInfo info(String reason, Map<String, String> metadata) {
        return ErrorInfo.newBuilder().setReason(reason).setDomain("calc").putAllMetadata(metadata).build();
    }

    static ErrorInfo overflow(String operation, long n1, long n2, long result) {
        return info(
                "INT32_OVERFLOW",
                Map.of("operation", operation, "n1", "" + n1, "n2", "" + n2, "result", "" + result));
    }

    static final List<Any> DIVISION_BY_ZERO =
            List.of(
                    Any.pack(
                            BadRequest.newBuilder()
                                    .addFieldViolations(
                                            BadRequest.FieldViolation.newBuilder()
                                                    .setField("n2")
                                                    .setDescription("must not be zero"))
                                    .build()),
                    Any.pack(info("DIVISION_BY_ZERO", Map.of())));

    /** The words after each flag, by flag; a flag without one has an empty word. */
    static Map<String, String> flags(String[] arguments) {
        Map<String, String> flags = new HashMap<>();
        for (int at = 1; at < arguments.length; at++) {
            boolean isAlone = at + 1 == arguments.length || arguments[at + 1].startsWith("--");
            flags.put(arguments[at], isAlone ? "" : arguments[at + 1]);
            at += isAlone ? 0 : 1;
        }
        return flags;
    }

    private Contract() {}
}
