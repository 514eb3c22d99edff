using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Gateway.Answers;

namespace Herd.Gateway.Grpc;

/// <summary>Converts the cluster's messages to those of herd.v1, and back.</summary>
internal static class ProtoMapping
{
    public static V1.Conversation ToProto(this Conversation conversation) => new()
    {
        ConversationId = conversation.Id,
        Model = conversation.Model ?? "",
        CreateTime = conversation.Created.ToTimestamp(),
        Home = conversation.Home ?? "",
        Epoch = conversation.Epoch,
        System = conversation.System ?? "",
        Turns = { conversation.Turns.Select(ToProto) },
    };

    public static V1.Turn ToProto(this Turn turn) => new()
    {
        TurnId = turn.Id,
        State = (V1.TurnState)turn.State,
        Input = { turn.Input.Select(message => new V1.Message { Role = (V1.Role)message.Role, Text = message.Text }) },
        Answer = turn.Answer.Text,
        FinishReason = (V1.FinishReason)turn.Finish,
        Model = turn.Model ?? "",
        Node = turn.Node ?? "",
        Usage = turn.Usage.ToProto(),
        Timings = turn.Timings.ToProto(),
        CreateTime = turn.Created.ToTimestamp(),
    };

    public static V1.Usage? ToProto(this Usage? usage) => usage is null ? null : new V1.Usage
    {
        PromptTokens = usage.PromptTokens,
        CompletionTokens = usage.CompletionTokens,
        CachedTokens = usage.CachedTokens,
    };

    public static V1.Timings? ToProto(this Timings? timings) => timings is null ? null : new V1.Timings
    {
        Queued = timings.Queued.ToDuration(),
        Prefill = timings.Prefill.ToDuration(),
        Decode = timings.Decode.ToDuration(),
    };

    public static V1.ConverseResponse ToProto(this TurnEvent update) => update switch
    {
        { Started: { } started } => new V1.ConverseResponse
        {
            Started = new V1.TurnStarted { TurnId = started.TurnId, Model = started.Model, Node = started.Node },
        },
        { Delta: { } delta } => new V1.ConverseResponse
        {
            Delta = new V1.AnswerDelta
            {
                Text = delta.Text,
                Tokens = delta.Tokens,
                Epoch = delta.Epoch,
                Digest = delta.Digest,
                LogProbs = { (delta.LogProbs ?? []).Select(ToProto) },
#pragma warning disable CS0612 // The old names of fields, still written for one version.
                Chances = { (delta.LogProbs ?? []).Select(ToOldProto) },
#pragma warning restore CS0612
            },
        },
        _ => new V1.ConverseResponse
        {
            Completed = new V1.TurnCompleted { Turn = update.Completed!.ToProto(), Unsaved = update.IsUnsaved },
        },
    };

    public static V1.Placement ToProto(this PlacementDecision placement) => new()
    {
        Time = placement.At.ToTimestamp(),
        Reason = (V1.PlacementReason)placement.Reason,
        Policy = placement.Policy,
        Node = placement.Node,
        Home = placement.Home ?? "",
        Possible = placement.Possible,
        Considered = { placement.Considered.Select(ToProto) },
        Move = placement.Pull is not { } pull ? null : new V1.KvMove
        {
            Tokens = pull.Tokens,
            Bytes = pull.Bytes,
            Duration = TimeSpan.FromSeconds(pull.Seconds).ToDuration(),
            Failure = pull.Failure ?? "",
        },
    };

    private static V1.TokenLogProbs ToProto(TokenLogProbs token) => new()
    {
        Text = ByteString.CopyFrom(token.Bytes),
        LogProb = token.LogProb,
        Likeliest = { token.Likeliest.Select(ToProto) },
    };

#pragma warning disable CS0612 // The old name of the message, still written for one version.
    private static V1.TokenChance ToOldProto(TokenLogProbs token) => new()
    {
        Text = ByteString.CopyFrom(token.Bytes),
        LogProb = token.LogProb,
        Likeliest = { token.Likeliest.Select(ToOldProto) },
    };
#pragma warning restore CS0612

    public static AnswerOffset ToOffset(this V1.AnswerOffset? offset) =>
        offset is null
            ? AnswerOffset.Start
            : new AnswerOffset(offset.Bytes, offset.Tokens, offset.Epoch) { Digest = offset.Digest };

    private static V1.Forecast ToProto(TtftEstimate estimate) => new()
    {
        Node = estimate.Node,
        Queue = TimeSpan.FromSeconds(estimate.Queue).ToDuration(),
        Origin = (V1.KvOrigin)estimate.Origin,
        Kv = TimeSpan.FromSeconds(estimate.Kv).ToDuration(),
        DecodeContention = TimeSpan.FromSeconds(estimate.DecodeContention).ToDuration(),
        StalenessPenalty = estimate.StalenessPenalty,
        Total = TimeSpan.FromSeconds(estimate.Total).ToDuration(),
#pragma warning disable CS0612 // The old names of fields, still written for one version.
        Crowding = TimeSpan.FromSeconds(estimate.DecodeContention).ToDuration(),
        Doubt = estimate.StalenessPenalty,
#pragma warning restore CS0612
    };

    public static V1.Model ToProto(this ServedModel model)
    {
        var sampling = new V1.Sampling();
        if (model.Defaults.Temperature is { } temperature)
        {
            sampling.Temperature = temperature;
        }

        if (model.Defaults.TopK is { } topK)
        {
            sampling.TopK = topK;
        }

        if (model.Defaults.TopP is { } topP)
        {
            sampling.TopP = topP;
        }

        if (model.Defaults.MinP is { } minP)
        {
            sampling.MinP = minP;
        }

        return new V1.Model
        {
            ModelId = model.Id,
            Description = model.Description,
            ContextTokens = model.ContextTokens,
            Sampling = sampling,
        };
    }

    public static V1.Node ToProto(this NodeReport node) => new()
    {
        Name = node.Node,
        State = (V1.NodeState)node.State,
        ProcessId = node.ProcessId,
        Runtime = node.Runtime,
        Models = { node.Models.Select(model => model.Id) },
        Slots = node.Models.Sum(model => model.Slots),
        Active = node.Models.Sum(model => model.Active),
        Queued = node.Models.Sum(model => model.Queued),
        Sessions = node.Models.Sum(model => model.Sessions),
        KvTokens = node.Models.Sum(model => model.KvTokens),
        KvCapacity = node.Models.Sum(model => model.KvCapacity),
        Loaded = node.Loaded,
        Load = node.Load?.ToProto(),
    };

    public static V1.ModelLoad ToProto(this ModelLoad load) => new()
    {
        Number = load.Number,
        Model = load.Model,
        Stage = (V1.LoadStage)load.Stage,
        Failure = load.Failure ?? "",
        Time = load.Since.ToTimestamp(),
    };

    public static V1.ChatPart ToProto(this AnswerPart part) => part switch
    {
        { Call: { } call } => new V1.ChatPart
        {
            Call = new V1.ToolCall { CallId = call.Id, Name = call.Name, Arguments = call.Arguments },
        },
        { Thought: { } thought } => new V1.ChatPart { Thought = thought },
        _ => new V1.ChatPart { Text = part.Text },
    };
}
