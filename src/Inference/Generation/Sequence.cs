using System.Runtime.InteropServices;
using System.Threading.Channels;
using Herd.Inference.Kv;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Herd.Inference.Text;

namespace Herd.Inference.Generation;

/// <summary>The state of one answer while it is computed.</summary>
internal sealed class Sequence
{
    private const int TypicalAnswerTokens = 128;

    private readonly GenerationRequest _request;
    private readonly IVocabulary _vocabulary;
    private readonly TimeProvider _time;
    private readonly AnswerText _text;
    private readonly SamplingState _sampling;
    private readonly int _capacity;
    private readonly Channel<GenerationUpdate> _updates = Channel.CreateUnbounded<GenerationUpdate>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _submitted;
    private long _admitted;
    private long _firstToken;
    private int _cached;
    private PrefixSource _prefixSource;
    private TimeSpan _restore;

    /// <exception cref="InvalidPromptException">It has no tokens, or unknown ones: no batch could hold it.</exception>
    public Sequence(
        GenerationRequest request,
        IVocabulary vocabulary,
        int capacity,
        TimeProvider time,
        CancellationToken cancellation)
    {
        ThrowIfInvalid(request, vocabulary);
        _request = request;
        _vocabulary = vocabulary;
        _capacity = capacity;
        _time = time;
        _submitted = WaitsSince = time.GetTimestamp();
        _text = new AnswerText(vocabulary, request.Stops);
        _sampling = new SamplingState(request.Sampling, request.MirostatMu);
        Cancellation = cancellation;
        var tokens = new List<int>(request.Prompt.Count + request.Produced.Count + TypicalAnswerTokens);
        tokens.AddRange(request.Prompt);
        tokens.AddRange(request.Produced);
        Kv = new KvAllocation(request.Session, request.Tenant, request.Prefix, tokens);
        foreach (var token in request.Produced)
        {
            _text.Append(token);
            _sampling.Grammar?.Accept(token);
        }
    }

    /// <summary>The tokens of prompt and answer so far, and their slot in the KV cache.</summary>
    public KvAllocation Kv { get; }

    public Priority Priority => _request.Priority;

    public CancellationToken Cancellation { get; }

    /// <summary>A number that grows with each request.</summary>
    public long Arrival { get; set; }

    /// <summary>The timestamp since which it waits for a slot.</summary>
    public long WaitsSince { get; private set; }

    /// <summary>The timestamp at which it got its slot.</summary>
    public long InSlotSince { get; private set; }

    /// <summary>True if another sequence of its class may preempt it in this step, judged by the cost alone.</summary>
    public bool CanBePreempted { get; set; }

    /// <summary>Tokens of the answer since it got its slot.</summary>
    public int QuantumUsed => Answered - AnsweredBefore;

    /// <summary>Tokens of the answer.</summary>
    public int Answered => Kv.Tokens.Count - _request.Prompt.Count;

    /// <summary>The acceptance rate of its draft tokens.</summary>
    public AcceptanceRate AcceptanceRate { get; } = new();

    /// <summary>True if the prompt is computed, so the sequence decodes.</summary>
    public bool IsDecoding => _firstToken != 0;

    /// <summary>
    /// Tokens of the prompt, or of a KV cache that it lost, to compute in its slot; 0 if its next step decodes.
    /// </summary>
    public int PendingPrompt => IsDecoding && Kv.Pending == 1 ? 0 : Kv.Pending;

    public ChannelReader<GenerationUpdate> Updates => _updates.Reader;

    /// <summary>Completes when the last update was written.</summary>
    public Task Over => _over.Task;

    /// <summary>
    /// The pending tokens when it got its slot if the prompt is short, else 0. A short prompt is computed in one step,
    /// because splitting it would cost another pass over the weights.
    /// </summary>
    public int ShortPrompt { get; private set; }

    /// <summary>
    /// Records that the sequence got its slot, and publishes how many tokens of the prompt were cached.
    /// </summary>
    public void Admitted()
    {
        ShortPrompt = Kv.Pending <= EngineLoad.ShortPromptTokens ? Kv.Pending : 0;
        AnsweredBefore = Answered;
        InSlotSince = _time.GetTimestamp();
        CanBePreempted = false;
        if (_admitted == 0)
        {
            _admitted = InSlotSince;
            (_prefixSource, _restore) = (Kv.PrefixSource, Kv.Restore);
            _cached = Math.Min(Kv.Slot!.Tokens.Count, _request.Prompt.Count);
            _updates.Writer.TryWrite(
                New([], "", null, []) with { Prompt = new PromptTokens(_request.Prompt.Count, _cached) });
        }
    }

    /// <summary>Records that the sequence was preempted and waits again.</summary>
    public void Preempted() => WaitsSince = _time.GetTimestamp();

    /// <summary>Samples the next token and publishes it.</summary>
    /// <returns>The token, or null if the answer is complete.</returns>
    public int? Advance(ReadOnlySpan<float> logits, Sampler sampler)
    {
        var tokens = Kv.Tokens;
        var token = sampler.Sample(logits, _sampling, CollectionsMarshal.AsSpan(tokens), _request.Prompt.Count);
        if (_firstToken == 0)
        {
            _firstToken = _time.GetTimestamp();
        }

        if (_vocabulary.IsEndOfGeneration(token))
        {
            Finish(FinishReason.EndOfText, [], "", []);
            return null;
        }

        tokens.Add(token);
        _sampling.Grammar?.Accept(token);
        IReadOnlyList<ChosenLogProb> logProbs =
            _request.Sampling.LogProbs is { } count ? [sampler.LogProbs(logits, token, count)] : [];
        var text = _text.Append(token);
        if (Reason() is { } reason)
        {
            Finish(reason, [token], text, logProbs);
            return null;
        }

        _updates.Writer.TryWrite(New([token], text, null, logProbs));
        return token;
    }

    /// <summary>Completes an answer without computing, if the tokens that were already delivered end it.</summary>
    public bool TryFinishAtOnce()
    {
        if (_request.Produced.Count == 0 || Reason() is not { } reason)
        {
            return false;
        }

        Finish(reason, [], "", []);
        return true;
    }

    public void Fail(Exception exception) => End(exception);

    /// <summary>
    /// Refuses what would never enter a batch, and what would make the runtime refuse the batch with its neighbours.
    /// </summary>
    private static void ThrowIfInvalid(GenerationRequest request, IVocabulary vocabulary)
    {
        if (request.Prompt.Count == 0)
        {
            throw new InvalidPromptException(
                "The prompt is empty, and this model has no token to begin a text with. Send a text.");
        }

        foreach (var token in request.Prompt.Concat(request.Produced))
        {
            if (token < 0 || token >= vocabulary.Count)
            {
                throw new InvalidPromptException(
                    $"The prompt has the token {token}, and the model's vocabulary has those from 0 to "
                    + $"{vocabulary.Count - 1}. Was the text tokenised for another model?");
            }
        }
    }

    /// <summary>Tokens of the answer when it got its slot.</summary>
    private int AnsweredBefore { get; set; }

    private FinishReason? Reason() =>
        _text.Stopped ? FinishReason.StopSequence
        : Answered >= _request.MaxTokens || Kv.Tokens.Count >= _capacity ? FinishReason.Length
        : null;

    private GenerationUpdate New(
        IReadOnlyList<int> tokens, string text, GenerationResult? result, IReadOnlyList<ChosenLogProb> logProbs) =>
        new(tokens, text, result)
        {
            LogProbs = logProbs,
            MirostatMu = _request.Sampling.Mirostat is null ? null : _sampling.MirostatMu,
        };

    private void Finish(
        FinishReason reason, IReadOnlyList<int> tokens, string text, IReadOnlyList<ChosenLogProb> logProbs)
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
            _time.GetElapsedTime(first, now))
        {
            PrefixSource = _prefixSource,
            Restore = _restore,
        };
        _updates.Writer.TryWrite(New(tokens, text + _text.Flush(), result, logProbs));
        End(fault: null);
    }

    private void End(Exception? fault)
    {
        _updates.Writer.TryComplete(fault);
        _over.TrySetResult();
    }
}
