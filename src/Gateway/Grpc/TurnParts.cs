using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;
using Herd.Grains.Routing;
using Herd.V1;

namespace Herd.Gateway.Grpc;

/// <summary>
/// What a caller is told of a turn: its events, and with functions the answer in parts. The events have the answer as the model wrote it, so
/// that it can be resumed; parts are told once they are sure.
/// </summary>
internal sealed class TurnParts(ClusterView view, TurnRequest turn)
{
    private readonly bool _isAsked = turn.Settings.Tools is { Count: > 0 };
    private AnswerReader? _reader;

    public IEnumerable<ConverseResponse> ToParts(TurnEvent update)
    {
        // Who resumes in mid-answer has its beginning; only the whole can be read then.
        if (_isAsked && turn.Offset == Contracts.Conversations.AnswerOffset.Start && update.Started is { } started)
        {
            _reader ??= Reader(started.Model);
        }

        var told = update.ToProto();
        var parts = update.Delta is { } delta ? _reader?.Append(delta.Text) : update.Completed is not null ? _reader?.End() : null;
        if (_isAsked && update.Completed is { } completed)
        {
            told.Completed.Parts.AddRange(Reader(completed.Model).All(completed.Answer.Text).Select(ProtoMapping.ToProto));
        }

        // Parts come before the event that ends the turn.
        return told.Completed is null ? [told, .. WithoutParts(parts)] : [.. WithoutParts(parts), told];
    }

    private static IEnumerable<ConverseResponse> WithoutParts(IEnumerable<AnswerPart>? parts) =>
        (parts ?? []).Select(part => new ConverseResponse { Part = part.ToProto() });

    private AnswerReader Reader(string? model) => new(view.MarkupOf(model), turn.Settings, turn.TurnId);
}
