using System.Threading.Channels;
using Herd.Inference.Runtime;
using Herd.Inference.Text;

namespace Herd.Inference.Generation;

/// <summary>One answer in the making.</summary>
internal sealed class Sequence
{
    private readonly GenerationRequest _request;
    private readonly IVocabulary _vocabulary;
    private readonly TimeProvider _time;
    private readonly AnswerText _text;
    private readonly int _capacity;
    private readonly Channel<GenerationUpdate> _updates = Channel.CreateUnbounded<GenerationUpdate>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly long _submitted;
    private long _admitted;
    private long _firstToken;
    private int _cached;

    public Sequence(
        GenerationRequest request, IVocabulary vocabulary, int capacity, TimeProvider time, CancellationToken cancellation)
    {
        _request = request;
        _vocabulary = vocabulary;
        _capacity = capacity;
        _time = time;
        _submitted = time.GetTimestamp();
        _text = new AnswerText(vocabulary, request.Stops);
        Cancellation = cancellation;
        Tokens = [.. request.Prompt, .. request.Produced];
        foreach (var token in request.Produced)
        {
            _text.Append(token);
        }
    }

    public string Session => _request.Session;

    public CancellationToken Cancellation { get; }

    /// <summary>The prompt and the answer so far.</summary>
    public List<int> Tokens { get; }

    public KvSlot? Slot { get; set; }

    /// <summary>Tokens that are not in the KV cache yet.</summary>
    public int Pending => Tokens.Count - Slot!.Tokens.Count;

    /// <summary>Whether the prompt is computed and the answer grows token by token.</summary>
    public bool IsDecoding => _firstToken != 0;

    public ChannelReader<GenerationUpdate> Updates => _updates.Reader;

    private int Answered => Tokens.Count - _request.Prompt.Count;

    /// <summary>Notes that the sequence has its slot, and how much of the prompt that saves.</summary>
    public void Admitted()
    {
        _admitted = _time.GetTimestamp();
        _cached = Math.Min(Slot!.Tokens.Count, _request.Prompt.Count);
    }

    /// <summary>Chooses the next token and publishes it.</summary>
    /// <returns>True when the answer is complete.</returns>
    public bool Advance(ReadOnlySpan<float> logits, Sampling.Sampler sampler)
    {
        var token = sampler.Sample(logits, _request.Sampling, Answered);
        if (_firstToken == 0)
        {
            _firstToken = _time.GetTimestamp();
        }

        if (_vocabulary.IsEndOfGeneration(token))
        {
            return Finish(FinishReason.EndOfText, [], "");
        }

        Tokens.Add(token);
        var text = _text.Append(token);
        if (End() is { } reason)
        {
            return Finish(reason, [token], text);
        }

        _updates.Writer.TryWrite(new GenerationUpdate([token], text));
        return false;
    }

    /// <summary>Completes an answer of which nothing is left to compute, since the tokens produced before end it.</summary>
    public bool TryFinishAtOnce() => _request.Produced.Count > 0 && End() is { } reason && Finish(reason, [], "");

    public void Fail(Exception exception) => _updates.Writer.TryComplete(exception);

    private FinishReason? End() =>
        _text.Stopped ? FinishReason.StopSequence
        : Answered >= _request.MaxTokens || Tokens.Count >= _capacity ? FinishReason.Length
        : null;

    private bool Finish(FinishReason reason, IReadOnlyList<int> tokens, string text)
    {
        var now = _time.GetTimestamp();
        var admitted = _admitted == 0 ? now : _admitted;
        var first = _firstToken == 0 ? now : _firstToken;
        var result = new GenerationResult(
            reason,
            _request.Prompt.Count,
            _cached,
            Answered,
            _time.GetElapsedTime(_submitted, admitted),
            _time.GetElapsedTime(admitted, first),
            _time.GetElapsedTime(first, now));
        _updates.Writer.TryWrite(new GenerationUpdate(tokens, text + _text.Flush(), result));
        _updates.Writer.TryComplete();
        return true;
    }
}
