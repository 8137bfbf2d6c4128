# frozen_string_literal: true

# The Calculator's service, and the details of its errors: a google.rpc.Status in the metadata
# `grpc-status-details-bin`. protoc generates the messages.

require 'grpc'
require 'google/protobuf/well_known_types'
require 'optparse'
require 'calc_pb'
require 'google/rpc/error_details_pb'
require 'google/rpc/status_pb'

INT32 = (-(2**31)..(2**31) - 1).freeze
STATUS = 'grpc-status-details-bin'

# What the generator of stubs writes.
class Calculator
  include GRPC::GenericService

  self.marshal_class_method = :encode
  self.unmarshal_class_method = :decode
  self.service_name = 'calc.Calculator'
  rpc :Add, Calc::AddRequest, Calc::AddReply
  rpc :Substract, Calc::SubstractRequest, Calc::SubstractReply
  rpc :Multiply, Calc::MultiplyRequest, Calc::MeuliplyReply
  rpc :Divide, Calc::DivideRequest, Calc::DivideReply
end

def info(reason, metadata = {})
  Google::Rpc::ErrorInfo.new(reason: reason, domain: 'calc', metadata: metadata)
end

N2_IS_ZERO = Google::Rpc::BadRequest.new(
  field_violations: [Google::Rpc::BadRequest::FieldViolation.new(field: 'n2', description: 'must not be zero')]
)

# The values of these flags, each a file, by name; the rest of the arguments stays in ARGV.
def files(*names)
  paths = {}
  OptionParser.new do |options|
    names.each { |name| options.on("--#{name} FILE") { |path| paths[name] = File.read(path) } }
    options.on('--refused') { paths['refused'] = true }
  end.parse!
  paths
end
