namespace Herd.Grains.Routing;

/// <summary>The turns that this gateway has sent to nodes, by node and model, beside what reports say of them. Used under a lock.</summary>
internal sealed class InFlightLoad
{
    /// <summary>After so many seconds a node's reports show what was sent to it.</summary>
    private const double Unreported = 1;

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

    /// <summary>A report came; it shows no more what has ended.</summary>
    public void Reported(string node, string model) => _ended.Remove((node, model));

    /// <returns>Turns that are not over, and those that ended since the latest report, which still shows them.</returns>
    public (int Sent, int Ended) Count(string node, string model) =>
        (_sent.GetValueOrDefault((node, model))?.Count ?? 0, _ended.GetValueOrDefault((node, model)));

    /// <returns>Seconds that the prompts take that were sent so lately that reports need not show them.</returns>
    public double Prompts(string node, string model, double now) =>
        _sent.GetValueOrDefault((node, model))?.Where(prompt => now - prompt.At < Unreported).Sum(prompt => prompt.Seconds) ?? 0;
}

/// <summary>A prompt that was sent to a node.</summary>
/// <param name="At">When, in seconds of the gateway's clock.</param>
/// <param name="Seconds">What it is foreseen to take.</param>
internal sealed record InFlightPrompt(double At, double Seconds);
