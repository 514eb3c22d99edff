using System.Reflection;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Accounting.Ledger;
using Herd.Grains.Conversations.Storage;

namespace Herd.Gateway.Tests.Requests;

/// <summary>Grains and stores that answer each call at once with a valid value of the type that it returns.</summary>
public class FakeGrains : DispatchProxy
{
    private static readonly Turn Answered = new()
    {
        Id = "turn_" + new string('0', 32),
        State = TurnState.Completed,
        Input = [new Message(Role.User, "hi")],
        Created = DateTimeOffset.UnixEpoch,
        Model = GatewayServer.Model,
        Settings = new GenerationSettings(),
        Answer = new Answer("hello", [1, 2], true),
        Finish = Finish.Stop,
        Usage = new Usage(PromptTokens: 10, CompletionTokens: 2, CachedTokens: 4),
        Timings = new Timings(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero),
    };

    private static readonly Conversation Stored = new()
    {
        Id = "conv_" + new string('0', 32), Created = DateTimeOffset.UnixEpoch, Home = "node-1", Turns = [Answered],
    };

    public static T New<T>()
        where T : class => Create<T, FakeGrains>();

    /// <summary>Gives a fake for every grain.</summary>
    public static IGrainFactory Factory() => Create<IGrainFactory, GrainFactory>();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var type = targetMethod!.ReturnType;
        if (type == typeof(IAsyncEnumerable<TurnEvent>))
        {
            return Events((TurnRequest)args![0]!);
        }

        if (type == typeof(IAsyncEnumerable<UsageRecord>))
        {
            return AsyncEnumerable.Empty<UsageRecord>();
        }

        if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(Task<>))
        {
            return type == typeof(Task) ? Task.CompletedTask : null;
        }

        var result = type.GetGenericArguments()[0];
        return typeof(Task).GetMethod(nameof(Task.FromResult))!.MakeGenericMethod(result)
            .Invoke(null, [Value(result, args)]);
    }

    private static object? Value(Type type, object?[]? args) => type switch
    {
        _ when type == typeof(Conversation) => Stored,
        _ when type == typeof(Turn) => Answered,
        _ when type == typeof(string) => "text",
        _ when type == typeof(IReadOnlyList<int>) => (IReadOnlyList<int>)[1, 2, 3],
        _ when type == typeof(long) => 0L,
        _ when type == typeof(bool) => true,
        _ when type == typeof(IReadOnlyList<UsageSum>) => (IReadOnlyList<UsageSum>)[],
        _ when type == typeof(ConversationPage) => new ConversationPage([Stored], null),
        _ when type == typeof(DrainPreview) => new DrainPreview(0, 0, 0, 0),
        _ when type == typeof(NodeFacts) => new NodeFacts
        {
            Version = "0", Machine = "m", Time = DateTimeOffset.UnixEpoch,
        },
        _ when type == typeof(Embeddings) => new Embeddings(
            [.. ((IReadOnlyList<string>)args![1]!).Select(_ => new float[] { 1, 0 })], 3),
        _ => null,
    };

    private static async IAsyncEnumerable<TurnEvent> Events(TurnRequest request)
    {
        await Task.Yield();
        yield return new TurnEvent
        {
            Started = new TurnStarted(request.TurnId, GatewayServer.Model, "node-1"),
        };
        yield return new TurnEvent { Delta = new AnswerDelta("hello", 2) };
        yield return new TurnEvent
        {
            Completed = Answered with { Id = request.TurnId, Input = request.Input, Settings = request.Settings },
        };
    }

    /// <summary>Returns a fake for each interface.</summary>
    public class GrainFactory : DispatchProxy
    {
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            typeof(FakeGrains).GetMethod(nameof(New))!
                .MakeGenericMethod(targetMethod!.ReturnType).Invoke(null, null);
    }
}
