namespace Herd.Grains.Routing;

/// <summary>Counts the turns that this gateway has sent to nodes, by node and model. The caller holds a lock.</summary>
internal sealed class InFlightLoad
{
    /// <summary>Seconds after which a node's reports show a prompt that was sent to it.</summary>
    private const double ReportDelay = 1;

    /// <summary>Seconds in which a sent prompt reaches its engine.</summary>
    private const double ArrivalDelay = 0.02;

    private readonly Dictionary<(string Node, string Model), List<InFlightPrompt>> _sent = [];
    private readonly Dictionary<(string Node, string Model), int> _ended = [];

    public void Begin(string node, string model, InFlightPrompt prompt)
    {
        if (!_sent.TryGetValue((node, model), out var prompts))
        {
            _sent[(node, model)] = prompts = [];
        }

        prompts.Add(prompt);
    }

    public void End(string node, string model, InFlightPrompt prompt)
    {
        _sent[(node, model)].Remove(prompt);
        _ended[(node, model)] = _ended.GetValueOrDefault((node, model)) + 1;
    }

    /// <summary>A report arrived. It no longer counts the turns that have ended.</summary>
    public void Reported(string node, string model) => _ended.Remove((node, model));

    /// <returns>
    /// The turns that have not ended, and those that ended after the latest report, which still counts them.
    /// </returns>
    public (int Sent, int Ended) Count(string node, string model) =>
        (_sent.GetValueOrDefault((node, model))?.Count ?? 0, _ended.GetValueOrDefault((node, model)));

    /// <returns>Predicted seconds of the prompts that were sent too recently for the reports to show them.</returns>
    public double Prompts(string node, string model, double now) =>
        _sent.GetValueOrDefault((node, model))
            ?.Where(prompt => now - prompt.At < ReportDelay).Sum(prompt => prompt.Seconds) ?? 0;

    /// <returns>The prompts that were sent too late for a load that was measured at this time.</returns>
    public IReadOnlyList<SentPrompt> Unreported(string node, string model, double measured) =>
        [
            .. _sent.GetValueOrDefault((node, model), [])
                .Where(prompt => prompt.At > measured - ArrivalDelay && prompt.Prompt is not null)
                .Select(prompt => prompt.Prompt!),
        ];
}

/// <summary>A prompt that was sent to a node.</summary>
/// <param name="At">The time, in seconds of the gateway's clock.</param>
/// <param name="Seconds">The predicted time to compute it.</param>
/// <param name="Prompt">The prompt; null if none is computed.</param>
internal sealed record InFlightPrompt(double At, double Seconds, SentPrompt? Prompt);
