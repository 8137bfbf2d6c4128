// Checks a Calculator with grpc-go: prints a line for each check (script/interop).
//
//	bench-go-check TARGET [--ca FILE [--cert FILE --key FILE]] [--refused]
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"reflect"
	"time"

	"github.com/golang/protobuf/proto"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	pb "calc"
)

const (
	// Concurrent calls, each with operands of its own.
	calls = 10000
	// The deadline of calls that must succeed, and of one that must not.
	patience, short = 60 * time.Second, 200 * time.Millisecond
)

func equal(what string, got, expected interface{}) {
	if !reflect.DeepEqual(got, expected) {
		log.Fatalf("%s: expected %v, got %v", what, expected, got)
	}
}

func call(connection *grpc.ClientConn, method string, request, reply proto.Message) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return connection.Invoke(ctx, "/calc.Calculator/"+method, request, reply)
}

func add(connection *grpc.ClientConn, n1, n2 int32) error {
	reply := new(pb.AddReply)
	err := call(connection, "Add", &pb.AddRequest{N1: n1, N2: n2}, reply)
	if err == nil && reply.N1 != n1+n2 {
		err = fmt.Errorf("%d + %d is %d", n1, n2, reply.N1)
	}
	return err
}

func fourCalls(connection *grpc.ClientConn) {
	for _, four := range []struct {
		method               string
		request, got, expect proto.Message
	}{
		{"Add", &pb.AddRequest{N1: 20, N2: 10}, new(pb.AddReply), &pb.AddReply{N1: 30}},
		{"Substract", &pb.SubstractRequest{N1: 20, N2: 10}, new(pb.SubstractReply), &pb.SubstractReply{N1: 10}},
		{"Multiply", &pb.MultiplyRequest{N1: 20, N2: 10}, new(pb.MeuliplyReply), &pb.MeuliplyReply{N1: 200}},
		{"Divide", &pb.DivideRequest{N1: 10, N2: 2}, new(pb.DivideReply), &pb.DivideReply{F1: 5}},
	} {
		equal(four.method, call(connection, four.method, four.request, four.got), nil)
		equal(four.method, proto.Equal(four.got, four.expect), true)
	}
}

func checkError(err error, code codes.Code, message string, details ...proto.Message) {
	failed := status.Convert(err)
	equal("the code of an error", failed.Code(), code)
	equal("its message", failed.Message(), message)
	equal("the number of its details", len(failed.Details()), len(details))
	for number, detail := range failed.Details() {
		equal("a detail", proto.Equal(detail.(proto.Message), details[number]), true)
	}
}

func twoErrors(connection *grpc.ClientConn) {
	checkError(add(connection, math.MaxInt32, 1), codes.OutOfRange,
		"2147483647 + 1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)",
		&errdetails.ErrorInfo{Reason: "INT32_OVERFLOW", Domain: "calc", Metadata: map[string]string{
			"operation": "Add", "n1": "2147483647", "n2": "1", "result": "2147483648",
		}})
	checkError(call(connection, "Divide", &pb.DivideRequest{N1: 1}, new(pb.DivideReply)), codes.InvalidArgument,
		"division by zero",
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "n2", Description: "must not be zero"},
		}},
		&errdetails.ErrorInfo{Reason: "DIVISION_BY_ZERO", Domain: "calc"})
}

func concurrentCalls(connection *grpc.ClientConn) {
	results := make(chan error)
	for n := int32(0); n < calls; n++ {
		go func(n int32) { results <- add(connection, n, 1) }(n)
	}
	for n := 0; n < calls; n++ {
		equal("a concurrent call", <-results, nil)
	}
}

// Starts a call whose request never comes: it is in flight until it ends.
func open(ctx context.Context, connection *grpc.ClientConn) grpc.ClientStream {
	stream, err := connection.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, "/calc.Calculator/Add")
	equal("an open call", err, nil)
	return stream
}

func callsWithoutRequest(connection *grpc.ClientConn) {
	ctx, cancel := context.WithTimeout(context.Background(), short)
	equal("a deadline", status.Code(open(ctx, connection).RecvMsg(new(pb.AddReply))), codes.DeadlineExceeded)
	cancel()
	equal("a call after it", add(connection, 1, 1), nil)
	fmt.Println("deadline")
	ctx, cancel = context.WithTimeout(context.Background(), patience)
	stream := open(ctx, connection)
	// The connection is in order: the server has its headers when it replies to this one.
	equal("a call beside it", add(connection, 1, 2), nil)
	cancel()
	equal("a cancelled call", status.Code(stream.RecvMsg(new(pb.AddReply))), codes.Canceled)
	equal("a call after it", add(connection, 1, 3), nil)
	fmt.Println("cancellation")
}

// The option for TLS if there is a CA, with the client's certificate if there is one.
func security(ca, certificate, key string) grpc.DialOption {
	if ca == "" {
		return grpc.WithInsecure()
	}
	pem, err := os.ReadFile(ca)
	equal(ca, err, nil)
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(pem)
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		equal(certificate, err, nil)
		config.Certificates = []tls.Certificate{pair}
	}
	return grpc.WithTransportCredentials(credentials.NewTLS(config))
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: bench-go-check TARGET [--ca FILE [--cert FILE --key FILE]] [--refused]")
	}
	flags := flag.NewFlagSet("bench-go-check", flag.ExitOnError)
	ca, certificate, key := flags.String("ca", "", ""), flags.String("cert", "", ""), flags.String("key", "", "")
	refused := flags.Bool("refused", false, "check only that no connection is accepted")
	flags.Parse(os.Args[2:])
	connection, err := grpc.Dial(os.Args[1], security(*ca, *certificate, *key))
	equal("a channel", err, nil)
	if *refused {
		equal("a call", status.Code(add(connection, 1, 1)), codes.Unavailable)
		fmt.Println("refused")
		return
	}
	fourCalls(connection)
	fmt.Println("calls")
	twoErrors(connection)
	fmt.Println("errors")
	concurrentCalls(connection)
	fmt.Println("concurrency")
	callsWithoutRequest(connection)
}
