using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Inference.Generation;
using Herd.Inference.Text;

namespace Herd.Grains.Routing;

/// <summary>
/// The sequences that a node has for a model, and its rates: how long a prompt takes there. It follows the order of
/// the node's scheduler: by priority class, then by the service of the tenant, and within a tenant short prompts first.
/// Times are in seconds.
/// </summary>
internal sealed record NodeBacklog
{
    /// <summary>The age up to which the work that a node did since its report is known.</summary>
    private const double MaxAge = 2;

    /// <summary>The tokens that an answer is assumed to have yet.</summary>
    private const int AnswerTokens = 64;

    /// <summary>The factor by which a text may have fewer tokens than estimated.</summary>
    private const double Margin = 2;

    /// <summary>The approximations of a wait that grows with itself.</summary>
    private const int Rounds = 8;

    private readonly IReadOnlyList<TenantQueue> _queues;
    private readonly EngineFigures _figures;
    private readonly double _at;
    private readonly int _load;
    private readonly int _slots;
    private readonly double _charactersPerToken;

    /// <param name="model">The model's part of a report with queues.</param>
    /// <param name="sent">Prompts that the report does not show yet.</param>
    /// <param name="load">Sequences with and without a slot.</param>
    /// <param name="at">The time at which the load was measured.</param>
    public NodeBacklog(ServedModel model, IEnumerable<SentPrompt> sent, int load, double at)
    {
        _figures = model.Figures!;
        (_at, _load, _slots) = (at, load, model.Slots);
        _charactersPerToken = model.CharactersPerToken > 0
            ? model.CharactersPerToken
            : TokenEstimate.CharactersPerToken;
        _queues = [.. sent.Aggregate(
            _figures.Queues!.ToDictionary(queue => (queue.Tenant, queue.Priority)),
            (queues, prompt) =>
            {
                var queue = queues.GetValueOrDefault((prompt.Tenant, prompt.Priority))
                    ?? new TenantQueue(prompt.Tenant, prompt.Priority, 0, 0, 0, 0, 0, MinService(prompt.Priority));
                queues[(prompt.Tenant, prompt.Priority)] = queue with
                {
                    Tokens = queue.Tokens + prompt.Tokens,
                    Prompts = queue.Prompts + 1,
                    ShortTokens = queue.ShortTokens + (prompt.IsShort ? prompt.Tokens : 0),
                    Waiting = queue.Waiting + (load > _slots ? 1 : 0),
                };
                return queues;
            }).Values];
    }

    /// <summary>The predicted time until a new prompt is computed.</summary>
    public double Seconds(SentPrompt prompt, double now)
    {
        var own = Own(prompt);
        var first = (prompt.IsShort ? own?.ShortTokens : own?.Tokens) ?? 0;
        var higher = _queues.Where(queue => queue.Priority < prompt.Priority).Sum(queue => queue.Tokens);
        var wait = 0.0;
        for (var round = 0; round < Rounds; round++)
        {
            wait = (prompt.IsShort ? ShortSeconds(first) : first / _figures.PromptsRate)
                + ((higher + TokensOfOthers(prompt, first, wait)) / _figures.PromptsRate);
        }

        if (_load >= _slots)
        {
            wait = Math.Max(wait, SlotSeconds([.. _queues.Where(queue => queue.Priority <= prompt.Priority)]));
        }

        // It arrives while a step is computed.
        wait = Math.Max(0, wait - Age(now)) + (IsBusy ? _figures.StepSeconds / 2 : 0);
        return wait + (!prompt.IsShort ? prompt.Tokens / _figures.PromptsRate
            : IsBusy ? Math.Max(_figures.StepSeconds, OneStep(prompt))
            : Math.Min(prompt.Tokens / _figures.PromptsRate, OneStep(prompt)));
    }

    /// <summary>The wait that a new prompt has for certain, until it is computed.</summary>
    public double MinSeconds(string tenant, TurnPriority priority, int characters, double now)
    {
        // A text may have fewer tokens than most, and then be computed before long prompts.
        var tokens = (int)(characters / _charactersPerToken / Margin);
        var prompt = new SentPrompt(tenant, priority, tokens);
        var own = Own(prompt);
        var before = (prompt.IsShort ? own?.ShortTokens : own?.Tokens) ?? 0;

        // All slots may be free at the same moment; then each is taken for a quantum.
        var slot = Math.Max(0, (own?.Waiting ?? 0) - _slots) * NodeEstimate.QuantumTokens / _figures.DecodeRate;
        return Math.Max(0, Math.Max(before / _figures.PrefillRate, slot) - Age(now));
    }

    /// <summary>
    /// The tokens of other tenants that are computed before the prompt, if it waits for so long: those by which their
    /// service is behind. Meanwhile answers add to the service too.
    /// </summary>
    private double TokensOfOthers(SentPrompt prompt, int first, double wait)
    {
        var own = Own(prompt);
        var service = (own?.Service ?? MinService(prompt.Priority)) + first + prompt.Tokens;
        return _queues
            .Where(other => other != own && other.Priority == prompt.Priority)
            .Sum(other => Math.Clamp(
                service - other.Service + Served(own, wait) - Served(other, wait), 0, other.Tokens));
    }

    /// <summary>Virtual tokens that the answers of a tenant get in a time.</summary>
    private double Served(TenantQueue? queue, double seconds) => queue is null || _figures.StepSeconds <= 0
        ? 0
        : TenantLoad.OutputWeight * queue.Decoding * Math.Min(seconds / _figures.StepSeconds, AnswerTokens);

    /// <summary>
    /// The time until a slot is free for one more sequence. Half of the decoding sequences are assumed to have used
    /// their quantum, so that they can be preempted at once.
    /// </summary>
    private double SlotSeconds(IReadOnlyList<TenantQueue> queues) =>
        Math.Max(0, queues.Sum(queue => queue.Waiting) + 1 - (_queues.Sum(queue => queue.Decoding) / 2.0))
            * NodeEstimate.QuantumTokens * (IsBusy ? _figures.StepSeconds / _slots : 1 / _figures.DecodeRate);

    private bool IsBusy => _queues.Any(queue => queue.Tokens > 0);

    /// <summary>The time of a step with a short prompt.</summary>
    private double OneStep(SentPrompt prompt) =>
        _figures.ShortPromptSeconds - ((EngineLoad.ShortPromptTokens - prompt.Tokens) / _figures.PrefillRate);

    /// <summary>The time of short prompts, about one a step.</summary>
    private double ShortSeconds(int tokens) =>
        tokens * Math.Min(1 / _figures.PromptsRate, _figures.ShortPromptSeconds / EngineLoad.ShortPromptTokens);

    /// <summary>Seconds of work that the node did since the load was measured.</summary>
    private double Age(double now) => Math.Clamp(now - _at, 0, MaxAge);

    private TenantQueue? Own(SentPrompt prompt) =>
        _queues.FirstOrDefault(queue => queue.Tenant == prompt.Tenant && queue.Priority == prompt.Priority);

    private long MinService(TurnPriority priority) => _figures.Queues!
        .Where(queue => queue.Priority == priority).Select(queue => queue.Service).DefaultIfEmpty().Min();
}

/// <summary>A prompt for a node.</summary>
/// <param name="Tenant">Its tenant.</param>
/// <param name="Priority">Its class.</param>
/// <param name="Tokens">The tokens to compute.</param>
internal sealed record SentPrompt(string Tenant, TurnPriority Priority, int Tokens)
{
    /// <summary>True if the node computes it before long ones.</summary>
    public bool IsShort => Tokens <= EngineLoad.ShortPromptTokens;
}
