using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Requests;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Generation;

/// <summary>The rules for functions and the tool choice, for all interfaces.</summary>
internal static class ToolRules
{
    public const int MaxTools = 128;

    private const int MaxName = 64;
    private const int MaxDescription = 4096;
    private const int MaxSchema = 65_536;

    /// <exception cref="HerdException">
    /// A function is invalid, or the choice names a function that is missing.
    /// </exception>
    public static void Check(Field<IReadOnlyList<Tool>?> tools, Field<ToolChoice?> choice)
    {
        var all = tools.Value ?? [];
        if (all.Count > MaxTools)
        {
            throw tools.Error($"may hold at most {MaxTools} functions", all.Count);
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, tool) in all.Index())
        {
            Check(new Field<Tool>($"{tools.Name}[{i}]", tool));
            if (!names.Add(tool.Name))
            {
                throw Bad(
                    $"'{tools.Name}[{i}]' has the name of an earlier function. Give each function a name of its own.",
                    $"{tools.Name}[{i}]");
            }
        }

        Check(choice, names);
    }

    private static void Check(Field<Tool> field)
    {
        var (name, description, parameters, _) = field.Value;
        if (name.Length is 0 or > MaxName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
        {
            throw Bad(
                $"'{field.Name}' must have a name of 1 to {MaxName} ASCII letters, digits, '_' and '-'.", field.Name);
        }

        if (description is { Length: > MaxDescription })
        {
            throw field.Error($"may have a description of at most {MaxDescription} characters", description.Length);
        }

        if (parameters is { Length: > MaxSchema })
        {
            throw field.Error($"may have a JSON schema of at most {MaxSchema} characters", parameters.Length);
        }

        Require(
            parameters is null || JsonCheck.IsObject(parameters),
            $"'{field.Name}.parameters' must be the text of a JSON schema, an object in valid Unicode.",
            $"{field.Name}.parameters");
    }

    private static void Check(Field<ToolChoice?> field, HashSet<string> names)
    {
        if (field.Value is not { } choice)
        {
            return;
        }

        Require(
            names.Count > 0,
            $"'{field.Name}' requires a call, but the request has no functions. Add one, or leave '{field.Name}' out.",
            field.Name);
        Require(
            choice.Name is null || names.Contains(choice.Name),
            $"'{field.Name}' names a function that the request does not have. Add the function, or change the choice.",
            field.Name);
    }
}
