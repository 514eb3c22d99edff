using Herd.Contracts.Conversations;
using Herd.Gateway.Grpc;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Herd.V1;
using AnswerDelta = Herd.Contracts.Conversations.AnswerDelta;
using AnswerOffset = Herd.Contracts.Conversations.AnswerOffset;
using Tool = Herd.Contracts.Conversations.Tool;
using Turn = Herd.Contracts.Conversations.Turn;
using TurnStarted = Herd.Contracts.Conversations.TurnStarted;
using TurnState = Herd.Contracts.Conversations.TurnState;

namespace Herd.Gateway.Tests.Grpc;

public sealed class TurnPartsTests
{
    private const string Answer = """Let me see. <tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>""";

    private const string Read = """Let me see.[f {"x": 1}]""";

    private static readonly NodeRegistry Registry = new(Pools.None, TimeProvider.System);

    [Fact]
    public void ToParts_WithFunctions_HasTextAndParts()
    {
        var responses = Tell(New([new Tool("f", null, null, false)]));

        Assert.Equal(Answer, string.Concat(responses.Select(response => response.Delta?.Text)));
        Assert.Equal(Read, Describe(responses.Select(response => response.Part).OfType<ChatPart>()));
        Assert.Equal(Read, Describe(responses[^1].Completed.Parts));
    }

    [Fact]
    public void ToParts_WithoutFunctions_HasOnlyText()
    {
        var responses = Tell(New(null));

        Assert.All(responses, response => Assert.Null(response.Part));
        Assert.Empty(responses[^1].Completed.Parts);
    }

    [Fact]
    public void ToParts_ResumedInMidAnswer_HasThePartsAtTheEnd()
    {
        var responses = Tell(New([new Tool("f", null, null, false)]) with { Offset = new AnswerOffset(4, 1) });

        Assert.All(responses, response => Assert.Null(response.Part));
        Assert.Equal(Read, Describe(responses[^1].Completed.Parts));
    }

    private static TurnRequest New(IReadOnlyList<Tool>? tools) =>
        new() { TurnId = "turn_1", Input = [], Settings = new GenerationSettings { Tools = tools } };

    /// <summary>The answer in pieces of three characters. Another node continues it in the middle.</summary>
    private static List<ConverseResponse> Tell(TurnRequest request)
    {
        var parts = new TurnParts(Registry, request);
        var started = new TurnEvent { Started = new TurnStarted("turn_1", "m", "a") };
        var pieces = Answer.Chunk(3)
            .Select(piece => new TurnEvent { Delta = new AnswerDelta(new string(piece), 1) })
            .ToList();
        var turn = new Turn
        {
            Id = "turn_1",
            State = TurnState.Completed,
            Input = [],
            Created = DateTimeOffset.UnixEpoch,
            Model = "m",
            Settings = request.Settings,
            Answer = new Answer(Answer, [], true),
        };
        return
        [
            .. new[] { started }.Concat(pieces.Take(9))
                .Append(started)
                .Concat(pieces.Skip(9))
                .Append(new TurnEvent { Completed = turn })
                .SelectMany(parts.ToParts),
        ];
    }

    private static string Describe(IEnumerable<ChatPart> parts) => string.Concat(parts.Select(part =>
        part.PartCase == ChatPart.PartOneofCase.Call ? $"[{part.Call.Name} {part.Call.Arguments}]" : part.Text));
}
