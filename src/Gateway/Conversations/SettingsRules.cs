using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Conversations;

/// <summary>Checks the settings of requests, for all APIs.</summary>
internal static class SettingsRules
{
    public const int MaxStops = 16;
    public const int MaxStopLength = 256;
    public const int MaxMessages = 4096;
    public const int MaxTools = 128;
    private const int MaxTopK = 1_000_000;
    private const int MaxBias = 1024;
    private const int MaxSchemaLength = 65_536;
    private const int MaxDescription = 4096;

    /// <param name="settings">The requested settings.</param>
    /// <param name="prefix">The prefix of the names of fields in this API.</param>
    /// <exception cref="HerdException">A field is out of its range.</exception>
    public static void Check(GenerationSettings settings, string prefix = "")
    {
        Require(
            settings.Temperature is null or (>= 0 and <= 2),
            prefix + "temperature",
            "must be from 0 to 2",
            settings.Temperature);
        Require(
            settings.TopK is null or (>= 0 and <= MaxTopK),
            prefix + "top_k",
            "must be from 0 (all) to 1000000",
            settings.TopK);
        Require(
            settings.TopP is null or (> 0 and <= 1), prefix + "top_p", "must be above 0 and at most 1", settings.TopP);
        Require(settings.MinP is null or (>= 0 and <= 1), prefix + "min_p", "must be from 0 to 1", settings.MinP);
        Require(
            settings.TypicalP is null or (> 0 and <= 1),
            prefix + "typical_p",
            "must be above 0 and at most 1",
            settings.TypicalP);
        CheckPenalties(settings, prefix);
        Require(
            settings.LogProbs is null or (>= 0 and <= 20),
            prefix + (prefix.Length > 0 ? "log_probs" : "top_logprobs"),
            "must be from 0 to 20",
            settings.LogProbs);
        Require(
            settings.Bias is null or { Count: <= MaxBias },
            prefix + "logit_bias",
            $"may hold at most {MaxBias} tokens",
            settings.Bias?.Count);
        Require(
            settings.Bias?.Values.All(bias => bias is >= -100 and <= 100) ?? true,
            prefix + "logit_bias",
            "holds numbers from -100 to 100",
            "another");
        Require(
            settings.Form?.Schema is null or { Length: <= MaxSchemaLength },
            "response_format",
            $"may hold a schema of at most {MaxSchemaLength} characters",
            settings.Form?.Schema?.Length);
        CheckTools(settings.Tools ?? []);
        Require(settings.MaxTokens is null or >= 1, "max_tokens", "must be 1 or more", settings.MaxTokens);
        Require(settings.Stops.Count <= MaxStops, "stop", $"may hold at most {MaxStops} texts", settings.Stops.Count);
        foreach (var stop in settings.Stops)
        {
            Require(
                stop.Length is >= 1 and <= MaxStopLength,
                "stop",
                $"holds texts of 1 to {MaxStopLength} characters",
                stop.Length);
        }
    }

    /// <exception cref="HerdException">The tool choice names a function that is missing in the tools.</exception>
    public static void CheckChoice(GenerationSettings settings)
    {
        if (settings.ToolChoice is { } choice && (settings.Tools ?? []).All(tool => choice.Name is not null && tool.Name != choice.Name))
        {
            throw Bad(
                "'tool_choice' names a function that is not in 'tools'. Add it to 'tools', or change 'tool_choice'.",
                "tool_choice");
        }
    }

    private static void CheckTools(IReadOnlyList<Tool> tools)
    {
        Require(tools.Count <= MaxTools, "tools", $"may hold at most {MaxTools} functions", tools.Count);
        Require(
            tools.Select(tool => tool.Name).Distinct().Count() == tools.Count,
            "tools",
            "holds functions with names of their own",
            "one twice");
        foreach (var tool in tools)
        {
            Require(
                tool.Name.Length is >= 1 and <= 64 && tool.Name.All(
                    c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'),
                "tools",
                "holds functions with names of 1 to 64 letters, digits, '_' and '-'",
                "another");
            Require(
                tool.Description is null or { Length: <= MaxDescription },
                "tools",
                $"holds descriptions of at most {MaxDescription} characters",
                tool.Description?.Length);
            Require(
                tool.Parameters is null or { Length: <= MaxSchemaLength },
                "tools",
                $"holds schemas of at most {MaxSchemaLength} characters",
                tool.Parameters?.Length);
        }
    }

    private static void CheckPenalties(GenerationSettings settings, string prefix)
    {
        var penalties = settings.Penalties ?? new PenaltySettings();
        Require(
            penalties.Repetition is null or (> 0 and <= 2),
            prefix + "repetition_penalty",
            "must be above 0 and at most 2",
            penalties.Repetition);
        Require(
            penalties.Frequency is null or (>= -2 and <= 2),
            prefix + "frequency_penalty",
            "must be from -2 to 2",
            penalties.Frequency);
        Require(
            penalties.Presence is null or (>= -2 and <= 2),
            prefix + "presence_penalty",
            "must be from -2 to 2",
            penalties.Presence);
        Require(
            settings.Dry is null or { Multiplier: >= 0 and <= 10 },
            prefix + "dry.multiplier",
            "must be from 0 to 10",
            settings.Dry?.Multiplier);
        Require(
            settings.Dry?.Base is null or (>= 1 and <= 10),
            prefix + "dry.base",
            "must be from 1 to 10",
            settings.Dry?.Base);
        Require(
            settings.Dry?.AllowedLength is null or (>= 1 and <= 1000),
            prefix + "dry.allowed_length",
            "must be from 1 to 1000",
            settings.Dry?.AllowedLength);
        Require(
            settings.Xtc is null or { Probability: >= 0 and <= 1 },
            prefix + "xtc.probability",
            "must be from 0 to 1",
            settings.Xtc?.Probability);
        Require(
            settings.Xtc?.Threshold is null or (>= 0 and <= 0.5f),
            prefix + "xtc.threshold",
            "must be from 0 to 0.5",
            settings.Xtc?.Threshold);
        Require(
            settings.Mirostat?.Tau is null or (> 0 and <= 20),
            prefix + "mirostat.tau",
            "must be above 0 and at most 20",
            settings.Mirostat?.Tau);
        Require(
            settings.Mirostat?.Eta is null or (> 0 and <= 1),
            prefix + "mirostat.eta",
            "must be above 0 and at most 1",
            settings.Mirostat?.Eta);
    }

    /// <exception cref="HerdException">The id is invalid.</exception>
    public static void CheckTurnId(string id) => Require(
        id.Length is >= 1 and <= 64 && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'),
        "turn_id",
        "must be 1 to 64 letters, digits, '-' and '_'",
        id.Length);

    /// <exception cref="HerdException">The offset is invalid, or the turn's id is missing.</exception>
    public static void CheckOffset(AnswerOffset offset, bool hasTurnId)
    {
        Require(offset.Bytes >= 0, "resume.bytes", "must be 0 or more", offset.Bytes);
        Require(offset.Tokens >= 0, "resume.tokens", "must be 0 or more", offset.Tokens);
        Require(offset.Epoch >= 0, "resume.epoch", "must be 0 or more", offset.Epoch);
        Require(hasTurnId || offset == AnswerOffset.Start, "resume", "needs the turn_id of the turn to resume", "none");
    }

    private static void Require(bool condition, string parameter, string rule, object? found)
    {
        if (!condition)
        {
            throw Bad(FormattableString.Invariant($"'{parameter}' {rule}; found {found}."), parameter);
        }
    }
}
