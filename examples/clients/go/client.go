// Command client asks tagwarden what alice may do and whether tags comply, and handles every way to
// get no answer.
//
// An answer is ALLOW or DENY. Everything else is an error here, NotDecided: whoever enforces then
// does what its own failure mode says, which for most is to refuse. Usage: client HOST:PORT
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/golang/protobuf/ptypes"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"tagwarden/v1"
)

const (
	alice    = "acs:ram::123456789012:user/alice"
	groups   = "acs:eci:cn-hangzhou:123456789012:containergroup/"
	deadline = 2 * time.Second
	// Longer than the server waits for a revision: what it says of that comes in time.
	patient  = 4 * time.Second
	tries    = 2
)

// NotDecided says why there is no answer.
type NotDecided struct {
	code, reason, place string
	// After how long asking again may help; zero where it is of no use.
	retryAfter time.Duration
}

// notDecided reads a status. One without details comes from the way there, and not from tagwarden.
func notDecided(refused *status.Status) *NotDecided {
	found := &NotDecided{code: upperSnake(refused.Code().String())}
	for _, detail := range refused.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			found.reason = detail.Reason
		case *errdetails.BadRequest:
			found.place = detail.FieldViolations[0].Field
		case *errdetails.PreconditionFailure:
			found.place = detail.Violations[0].Subject
		case *errdetails.RetryInfo:
			if delay, err := ptypes.Duration(detail.RetryDelay); err == nil {
				found.retryAfter = delay
			}
		}
	}
	return found
}

func (found *NotDecided) Error() string {
	shown := "not decided: " + found.code
	if found.reason != "" {
		shown += " " + found.reason
	}
	if found.place != "" {
		shown += " in " + found.place
	}
	return shown
}

// upperSnake writes `InvalidArgument` as all other languages do.
func upperSnake(name string) string {
	var written strings.Builder
	for place, letter := range name {
		if place > 0 && letter >= 'A' && letter <= 'Z' {
			written.WriteByte('_')
		}
		written.WriteRune(letter)
	}
	return strings.ToUpper(written.String())
}

// asked makes one call, and makes it again only where the server says that this may help.
func asked(within time.Duration, call func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		err := call(ctx)
		cancel()
		if err == nil {
			return nil
		}
		refused := notDecided(status.Convert(err))
		if refused.retryAfter == 0 || attempt == tries {
			return refused
		}
		time.Sleep(refused.retryAfter)
	}
}

type tags [][2]string

func (pairs tags) set() *v1.TagWrite {
	set := &v1.TagSet{}
	for _, pair := range pairs {
		set.Tags = append(set.Tags, &v1.Tag{Key: pair[0], Value: pair[1]})
	}
	return &v1.TagWrite{Set: set}
}

// question is a request about one container group.
func question(action, group string, written tags) *v1.AuthorizeRequest {
	request := &v1.AuthorizeRequest{
		Principal:              alice,
		Action:                 "eci:" + action,
		Resources:              []*v1.Resource{{Arn: groups + group}},
		UnderstandsObligations: true,
	}
	if written != nil {
		request.TagWrite = written.set()
	}
	return request
}

// decision says in words what an answer says.
func decision(answer *v1.AuthorizeResponse) string {
	if answer.Effect == v1.Effect_EFFECT_ALLOW {
		shown := "ALLOW"
		for _, obligation := range answer.Obligations {
			var filters []string
			for _, tag := range obligation.GetMustFilterTags().GetTags() {
				filters = append(filters, tag.Key+"="+tag.Value)
			}
			shown += ", filtered by " + strings.Join(filters, ",")
		}
		return shown
	}
	reason := strings.TrimPrefix(answer.Reason.String(), "REASON_")
	if answer.OnDeny == v1.OnDeny_ON_DENY_EMPTY_RESULT {
		return "DENY " + reason + ", shown as an empty result"
	}
	return "DENY " + reason + ", shown as an error"
}

// tell prints what came of a question.
func tell(what string, ask func() (string, error)) {
	said, err := ask()
	var refused *NotDecided
	switch {
	case err == nil:
		fmt.Printf("%s: %s\n", what, said)
	case errors.As(err, &refused):
		fmt.Printf("%s: %s\n", what, refused)
	default:
		log.Fatal(err)
	}
}

type service struct {
	v1.AuthorizationServiceClient
}

// decide asks one question within a time.
func (client service) decide(request *v1.AuthorizeRequest, within time.Duration) (answer *v1.AuthorizeResponse, err error) {
	err = asked(within, func(ctx context.Context) error {
		answer, err = client.Authorize(ctx, request)
		return err
	})
	return answer, err
}

func (client service) tell(what string, request *v1.AuthorizeRequest, within time.Duration) {
	tell(what, func() (string, error) {
		answer, err := client.decide(request, within)
		if err != nil {
			return "", err
		}
		return decision(answer), nil
	})
}

func (client service) authorize() {
	env := tags{{"env", "test"}}
	client.tell("authorize delete eci-test", question("DeleteContainerGroup", "eci-test", nil), deadline)
	client.tell("authorize delete eci-prod", question("DeleteContainerGroup", "eci-prod", nil), deadline)
	client.tell("authorize list all", question("DescribeContainerGroups", "*", nil), deadline)
	client.tell("authorize list env=test", question("DescribeContainerGroups", "*", env), deadline)
}

func validate(client v1.TaggingServiceClient) {
	for _, value := range []string{"Shanghai", "shanghai"} {
		request := &v1.ValidateTaggingRequest{
			Resource:  &v1.Resource{Arn: groups + "*"},
			Operation: v1.TaggingOperation_TAGGING_OPERATION_CREATE,
			TagWrite:  tags{{"CostCenter", value}}.set(),
		}
		tell("validate CostCenter="+value, func() (said string, err error) {
			err = asked(deadline, func(ctx context.Context) error {
				answer, err := client.ValidateTagging(ctx, request)
				said = verdict(answer.GetVerdict())
				return err
			})
			return said, err
		})
	}
}

// verdict says in words what a verdict on tags says.
func verdict(found *v1.TaggingVerdict) string {
	if found == nil || found.Compliant {
		return "complies"
	}
	shown, wrong := "reported", found.Violations[0]
	if found.Intercepted {
		shown = "intercepted"
	}
	return fmt.Sprintf("%s, %s should be %s", shown, wrong.ExpectedKey, wrong.NearestValue)
}

// stream asks many questions. Answers come in their order; one that is refused does not end it.
func (client service) stream() error {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	open, err := client.AuthorizeStream(ctx)
	if err != nil {
		return err
	}
	for _, group := range []string{"eci-test", "*", "eci-prod"} {
		request := question("DeleteContainerGroup", group, nil)
		if err := open.Send(&v1.AuthorizeStreamRequest{Request: request}); err != nil {
			return err
		}
	}
	if err := open.CloseSend(); err != nil {
		return err
	}
	for number := 1; ; number++ {
		answer, err := open.Recv()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if refused := answer.Result.GetError(); refused != nil {
			fmt.Printf("stream %d: %s\n", number, notDecided(status.FromProto(refused)))
		} else {
			fmt.Printf("stream %d: %s\n", number, decision(answer.Result.GetResponse()))
		}
	}
}

func (client service) refusals() error {
	const group = "DeleteContainerGroup"
	twice := tags{{"env", "test"}, {"env", "prod"}}
	session, broken := question(group, "eci-test", nil), question(group, "eci-test", nil)
	session.Session = &v1.Session{Policy: &v1.Session_PolicyDocument{PolicyDocument: "{}"}}
	broken.Principal = strings.Replace(alice, "123456789012", "999999999999", 1)
	client.tell("refused tag twice", question("CreateContainerGroup", "*", twice), deadline)
	client.tell("refused unknown group", question(group, "eci-new", nil), deadline)
	client.tell("refused session", session, deadline)
	client.tell("refused broken account", broken, deadline)
	later := question(group, "eci-test", nil)
	told, err := client.decide(later, deadline)
	if err != nil {
		return err
	}
	revision := told.Revision
	later.MinRevision = &v1.RevisionToken{Source: revision.Source, Number: revision.Number + 1}
	client.tell("refused later revision", later, patient)
	return nil
}

func connect(address string) *grpc.ClientConn {
	connection, err := grpc.Dial(address, grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	return connection
}

func main() {
	connection := connect(os.Args[1])
	client := service{v1.NewAuthorizationServiceClient(connection)}
	client.authorize()
	validate(v1.NewTaggingServiceClient(connection))
	for _, ask := range []func() error{client.stream, client.refusals} {
		if err := ask(); err != nil {
			log.Fatal(err)
		}
	}
	nobody := service{v1.NewAuthorizationServiceClient(connect("127.0.0.1:1"))}
	nobody.tell("nobody there", question("DeleteContainerGroup", "eci-test", nil), deadline)
}
