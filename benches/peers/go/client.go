// The Calculator's client on grpc-go: a goroutine for each call in flight, all on one connection.
//
//	bench-go-client HOST:PORT                     one call, as a program of its own
//	bench-go-client HOST:PORT IN_FLIGHT CALLS     a measured run (benches/compare/clients.py)
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"

	pb "calc"
)

var input = bufio.NewReader(os.Stdin)

// What protoc-gen-go-grpc generates, with a deadline and a check.
func add(connection *grpc.ClientConn) int32 {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	reply := new(pb.AddReply)
	err := connection.Invoke(ctx, "/calc.Calculator/Add", &pb.AddRequest{N1: 20, N2: 10}, reply)
	if err != nil || reply.N1 != 30 {
		log.Fatalf("20 + 10 is %d: %v", reply.N1, err)
	}
	return reply.N1
}

// Makes equally many calls in each of inFlight goroutines. Returns their latencies in µs.
func run(connection *grpc.ClientConn, inFlight, calls int) []float64 {
	count := calls / inFlight
	latencies := make([]float64, count*inFlight)
	var group sync.WaitGroup
	for number := 0; number < inFlight; number++ {
		own := latencies[number*count : (number+1)*count]
		group.Add(1)
		go func() {
			defer group.Done()
			for call := range own {
				began := time.Now()
				add(connection)
				own[call] = float64(time.Since(began).Nanoseconds()) / 1000
			}
		}()
	}
	group.Wait()
	return latencies
}

// Tells the measuring program what, and waits until it answers.
func tell(what string) {
	fmt.Println(what)
	if _, err := input.ReadString('\n'); err != nil {
		log.Fatal(err)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	if len(os.Args) != 2 && len(os.Args) != 4 {
		log.Fatal("usage: bench-go-client HOST:PORT [IN_FLIGHT CALLS]")
	}
	connection, err := grpc.Dial(os.Args[1], grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	if len(os.Args) == 2 {
		fmt.Println(add(connection))
		return
	}
	inFlight, calls := number(os.Args[2]), number(os.Args[3])
	warmUp := calls / 5
	if warmUp < inFlight {
		warmUp = inFlight
	}
	run(connection, inFlight, warmUp)
	tell("ready")
	latencies := run(connection, inFlight, calls)
	tell("done")
	sort.Float64s(latencies)
	fmt.Println(latencies[len(latencies)/2], latencies[len(latencies)*99/100])
}
