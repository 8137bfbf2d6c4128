// The Calculator on grpc-go, as its examples write a server:
//
//	bench-go HOST:PORT [--cert FILE --key FILE [--client-ca FILE]]
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log"
	"math"
	"net"
	"os"
	"strconv"

	"github.com/golang/protobuf/proto"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	pb "calc"
)

type calculator struct{}

func fit(operation string, n1 int32, sign string, n2 int32, result int64) (int32, error) {
	if math.MinInt32 <= result && result <= math.MaxInt32 {
		return int32(result), nil
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return 0, failure(codes.OutOfRange, fmt.Sprintf("%d %s %d = %d does not fit an int32 (%d to %d)",
		n1, sign, n2, result, math.MinInt32, math.MaxInt32), &errdetails.ErrorInfo{
		Reason: "INT32_OVERFLOW",
		Domain: "calc",
		Metadata: map[string]string{
			"operation": operation, "n1": number(int64(n1)), "n2": number(int64(n2)), "result": number(result),
		},
	})
}

func failure(code codes.Code, message string, details ...proto.Message) error {
	detailed, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		log.Fatal(err)
	}
	return detailed.Err()
}

func (calculator) add(_ context.Context, r *pb.AddRequest) (interface{}, error) {
	n1, err := fit("Add", r.N1, "+", r.N2, int64(r.N1)+int64(r.N2))
	return &pb.AddReply{N1: n1}, err
}

func (calculator) substract(_ context.Context, r *pb.SubstractRequest) (interface{}, error) {
	n1, err := fit("Substract", r.N1, "-", r.N2, int64(r.N1)-int64(r.N2))
	return &pb.SubstractReply{N1: n1}, err
}

func (calculator) multiply(_ context.Context, r *pb.MultiplyRequest) (interface{}, error) {
	n1, err := fit("Multiply", r.N1, "*", r.N2, int64(r.N1)*int64(r.N2))
	return &pb.MeuliplyReply{N1: n1}, err
}

func (calculator) divide(_ context.Context, r *pb.DivideRequest) (interface{}, error) {
	if r.N2 == 0 {
		return nil, failure(codes.InvalidArgument, "division by zero",
			&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
				{Field: "n2", Description: "must not be zero"},
			}},
			&errdetails.ErrorInfo{Reason: "DIVISION_BY_ZERO", Domain: "calc"})
	}
	return &pb.DivideReply{F1: float32(float64(r.N1) / float64(r.N2))}, nil
}

// What protoc-gen-go-grpc generates, whichever version of it there is.
var service = grpc.ServiceDesc{
	ServiceName: "calc.Calculator",
	HandlerType: (*interface{})(nil),
	Methods: []grpc.MethodDesc{
		{MethodName: "Add", Handler: handler(calculator.add)},
		{MethodName: "Substract", Handler: handler(calculator.substract)},
		{MethodName: "Multiply", Handler: handler(calculator.multiply)},
		{MethodName: "Divide", Handler: handler(calculator.divide)},
	},
	Metadata: "calc.proto",
}

func handler[Request any](
	method func(calculator, context.Context, *Request) (interface{}, error),
) func(interface{}, context.Context, func(interface{}) error, grpc.UnaryServerInterceptor) (interface{}, error) {
	return func(
		server interface{}, ctx context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor,
	) (interface{}, error) {
		request := new(Request)
		if err := decode(request); err != nil {
			return nil, err
		}
		return method(server.(calculator), ctx, request)
	}
}

// The options for TLS with the certificate, if there is one, and for client certificates of the CA, if there is one.
func security(certificate, key, clientCA string) []grpc.ServerOption {
	if certificate == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if clientCA != "" {
		pem, err := os.ReadFile(clientCA)
		if err != nil {
			log.Fatal(err)
		}
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(pem)
	}
	return []grpc.ServerOption{grpc.Creds(credentials.NewTLS(config))}
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: bench-go HOST:PORT [--cert FILE --key FILE [--client-ca FILE]]")
	}
	flags := flag.NewFlagSet("bench-go", flag.ExitOnError)
	certificate, key := flags.String("cert", "", "use TLS"), flags.String("key", "", "its private key")
	clientCA := flags.String("client-ca", "", "require client certificates of this CA")
	flags.Parse(os.Args[2:])
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(security(*certificate, *key, *clientCA)...)
	server.RegisterService(&service, calculator{})
	fmt.Printf("listening on %s\n", listener.Addr())
	log.Fatal(server.Serve(listener))
}
