# frozen_string_literal: true

# The Calculator on Ruby's gRPC:
#
#     ruby server.rb HOST:PORT [--cert FILE --key FILE [--client-ca FILE]]

require_relative 'contract'

# The threads that run methods. A call that finds none free is refused, and a thread is free only some time after its
# reply: hence far fewer streams.
THREADS = 200
STREAMS = 10

class Service < Calculator
  def add(request, _call)
    Calc::AddReply.new(n1: fit('Add', '+', request, request.n1 + request.n2))
  end

  def substract(request, _call)
    Calc::SubstractReply.new(n1: fit('Substract', '-', request, request.n1 - request.n2))
  end

  def multiply(request, _call)
    Calc::MeuliplyReply.new(n1: fit('Multiply', '*', request, request.n1 * request.n2))
  end

  def divide(request, _call)
    fail_with(:INVALID_ARGUMENT, 'division by zero', N2_IS_ZERO, info('DIVISION_BY_ZERO')) if request.n2.zero?
    Calc::DivideReply.new(f1: request.n1.fdiv(request.n2))
  end

  private

  def fit(operation, sign, request, result)
    return result if INT32.cover?(result)

    n1, n2 = request.n1, request.n2
    operands = { 'operation' => operation, 'n1' => n1.to_s, 'n2' => n2.to_s, 'result' => result.to_s }
    message = "#{n1} #{sign} #{n2} = #{result} does not fit an int32 (#{INT32.first} to #{INT32.last})"
    fail_with(:OUT_OF_RANGE, message, info('INT32_OVERFLOW', operands))
  end

  def fail_with(name, message, *details)
    code = GRPC::Core::StatusCodes.const_get(name)
    packed = details.map { |detail| Google::Protobuf::Any.pack(detail) }
    status = Google::Rpc::Status.new(code: code, message: message, details: packed)
    raise GRPC::BadStatus.new_status_exception(code, message, { STATUS => Google::Rpc::Status.encode(status) })
  end
end

flags = files('cert', 'key', 'client-ca')
credentials = :this_port_is_insecure
if flags['cert']
  pair = { private_key: flags['key'], cert_chain: flags['cert'] }
  credentials = GRPC::Core::ServerCredentials.new(flags['client-ca'], [pair], flags.key?('client-ca'))
end
server = GRPC::RpcServer.new(
  pool_size: THREADS, server_args: { 'grpc.so_reuseport' => 0, 'grpc.max_concurrent_streams' => STREAMS }
)
port = server.add_http2_port(ARGV.fetch(0), credentials)
server.handle(Service.new)
puts "listening on #{ARGV[0].rpartition(':').first}:#{port}"
$stdout.flush
server.run_till_terminated_or_interrupted(%w[INT TERM])
