# frozen_string_literal: true

# Checks a Calculator with Ruby's gRPC: prints a line for each check (script/interop).
#
#     ruby check.rb TARGET [--ca FILE [--cert FILE --key FILE]] [--refused]

require_relative 'contract'

# Calls with operands of their own, on this many threads: a call blocks its thread.
CALLS = 10_000
THREADS = 100
# The deadline of calls that must succeed, and of one that must not.
PATIENCE = 60
SHORT = 0.2

Thread.abort_on_exception = true

# The same method for calls whose requests come later, or never.
class OpenCalculator
  include GRPC::GenericService

  self.marshal_class_method = :encode
  self.unmarshal_class_method = :decode
  self.service_name = 'calc.Calculator'
  rpc :Add, stream(Calc::AddRequest), stream(Calc::AddReply)
end

def equal(what, got, expected)
  abort "#{what}: expected #{expected.inspect}, got #{got.inspect}" unless got == expected
end

def passed(check)
  puts check
  $stdout.flush
end

def deadline(seconds)
  { deadline: Time.now + seconds }
end

def add(stub, first, second)
  reply = stub.add(Calc::AddRequest.new(n1: first, n2: second), **deadline(PATIENCE))
  equal("#{first} + #{second}", reply.n1, first + second)
end

def error
  yield
  abort 'a call that must fail succeeded'
rescue GRPC::BadStatus => e
  e
end

def four_calls(stub)
  add(stub, 20, 10)
  equal('Substract', stub.substract(Calc::SubstractRequest.new(n1: 20, n2: 10)).n1, 10)
  equal('Multiply', stub.multiply(Calc::MultiplyRequest.new(n1: 20, n2: 10)).n1, 200)
  equal('Divide', stub.divide(Calc::DivideRequest.new(n1: 10, n2: 2)).f1, 5.0)
end

def check_error(failed, kind, message, *details)
  equal('an error', [failed.class, failed.details], [kind, message])
  status = Google::Rpc::Status.decode(failed.metadata[STATUS])
  equal('its status', [status.code, status.message], [failed.code, message])
  equal('its details', status.details.zip(details).map { |any, detail| any.unpack(detail.class) }, details)
end

def two_errors(stub)
  operands = { 'operation' => 'Add', 'n1' => '2147483647', 'n2' => '1', 'result' => '2147483648' }
  overflow = '2147483647 + 1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)'
  check_error(error { add(stub, 2_147_483_647, 1) }, GRPC::OutOfRange, overflow, info('INT32_OVERFLOW', operands))
  by_zero = error { stub.divide(Calc::DivideRequest.new(n1: 1, n2: 0)) }
  check_error(by_zero, GRPC::InvalidArgument, 'division by zero', N2_IS_ZERO, info('DIVISION_BY_ZERO'))
end

def concurrent_calls(stub)
  THREADS.times.map do |thread|
    Thread.new { (thread...CALLS).step(THREADS) { |n| add(stub, n, 1) } }
  end.each(&:join)
end

# Calls whose request never comes are in flight until they end.
def calls_without_request(open_stub, stub)
  never = Queue.new
  requests = Enumerator.new { |_| never.pop }
  equal('a deadline', error { open_stub.add(requests, **deadline(SHORT)).first }.class, GRPC::DeadlineExceeded)
  add(stub, 1, 1)
  passed('deadline')
  call = open_stub.add(Enumerator.new { |_| never.pop }, return_op: true, **deadline(PATIENCE))
  replies = call.execute
  # The connection is in order: the server has its headers when it replies to this one.
  add(stub, 1, 2)
  call.cancel
  equal('a cancelled call', error { replies.first }.class, GRPC::Cancelled)
  add(stub, 1, 3)
  passed('cancellation')
end

flags = files('ca', 'cert', 'key')
target = ARGV.fetch(0)
credentials = :this_channel_is_insecure
credentials = GRPC::Core::ChannelCredentials.new(flags['ca'], flags['key'], flags['cert']) if flags['ca']
channel = GRPC::ClientStub.setup_channel(nil, target, credentials)
stub = Calculator.rpc_stub_class.new(target, credentials, channel_override: channel)
if flags['refused']
  equal('a call', error { add(stub, 1, 1) }.class, GRPC::Unavailable)
  passed('refused')
  exit
end
four_calls(stub)
passed('calls')
two_errors(stub)
passed('errors')
concurrent_calls(stub)
passed('concurrency')
calls_without_request(OpenCalculator.rpc_stub_class.new(target, credentials, channel_override: channel), stub)
# Threads that wait for a request end with the program.
exit!(true)
