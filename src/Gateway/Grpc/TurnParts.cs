using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;
using Herd.Grains.Routing;
using Herd.V1;

namespace Herd.Gateway.Grpc;

/// <summary>
/// Turns a turn's events into responses. If the request has functions, the answer's parts are added to its text: the
/// text is as the model wrote it, so that it can be resumed, and a part is sent when later text cannot change it.
/// </summary>
internal sealed class TurnParts(NodeRegistry registry, TurnRequest turn)
{
    private readonly bool _hasTools = turn.Settings.Tools is { Count: > 0 };
    private AnswerReader? _reader;

    public IEnumerable<ConverseResponse> ToParts(TurnEvent update)
    {
        // A caller that resumes in mid-answer has its start already, so parts can only be read of the complete answer.
        if (_hasTools && turn.Offset == Contracts.Conversations.AnswerOffset.Start && update.Started is { } started)
        {
            _reader ??= Reader(started.Model);
        }

        var response = update.ToProto();
        var parts = update switch
        {
            { Delta: { } delta } => _reader?.Append(delta.Text),
            { Completed: not null } => _reader?.End(),
            _ => null,
        };
        if (_hasTools && update.Completed is { } completed)
        {
            response.Completed.Parts.AddRange(
                Reader(completed.Model).All(completed.Answer.Text).Select(ProtoMapping.ToProto));
        }

        // Parts come before the event that ends the turn.
        return response.Completed is null ? [response, .. ToResponses(parts)] : [.. ToResponses(parts), response];
    }

    private static IEnumerable<ConverseResponse> ToResponses(IEnumerable<AnswerPart>? parts) =>
        (parts ?? []).Select(part => new ConverseResponse { Part = part.ToProto() });

    private AnswerReader Reader(string? model) => new(registry.MarkupOf(model), turn.Settings, turn.TurnId);
}
