// The Calculator on grpc-go, as its examples write a server:
//
//	bench-go HOST:PORT
package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "calc"
)

type calculator struct{}

func fit(n1 int32, sign string, n2 int32, result int64) (int32, error) {
	if math.MinInt32 <= result && result <= math.MaxInt32 {
		return int32(result), nil
	}
	return 0, status.Errorf(codes.OutOfRange, "%d %s %d = %d does not fit an int32 (%d to %d)",
		n1, sign, n2, result, math.MinInt32, math.MaxInt32)
}

func (calculator) add(_ context.Context, r *pb.AddRequest) (interface{}, error) {
	n1, err := fit(r.N1, "+", r.N2, int64(r.N1)+int64(r.N2))
	return &pb.AddReply{N1: n1}, err
}

func (calculator) substract(_ context.Context, r *pb.SubstractRequest) (interface{}, error) {
	n1, err := fit(r.N1, "-", r.N2, int64(r.N1)-int64(r.N2))
	return &pb.SubstractReply{N1: n1}, err
}

func (calculator) multiply(_ context.Context, r *pb.MultiplyRequest) (interface{}, error) {
	n1, err := fit(r.N1, "*", r.N2, int64(r.N1)*int64(r.N2))
	return &pb.MeuliplyReply{N1: n1}, err
}

func (calculator) divide(_ context.Context, r *pb.DivideRequest) (interface{}, error) {
	if r.N2 == 0 {
		return nil, status.Error(codes.InvalidArgument, "division by zero")
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

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: bench-go HOST:PORT")
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	server.RegisterService(&service, calculator{})
	fmt.Printf("listening on %s\n", listener.Addr())
	log.Fatal(server.Serve(listener))
}
