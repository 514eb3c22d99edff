using FsCheck.Xunit;
using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;

namespace Herd.Gateway.Tests.Answers;

public sealed class AnswerReaderTests
{
    private static readonly GenerationSettings Settings = new() { Tools = [new Tool("weather"), new Tool("time")] };

    [Theory]
    [InlineData(0, "hello", "text:hello")]
    [InlineData(
        0,
        "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>",
        "call:weather{\"city\": \"Rome\"}")]
    [InlineData(0, "Let me see.\n<tool_call>{\"name\":\"time\"}</tool_call>\n<tool_call>{\"name\":\"weather\","
        + "\"arguments\":{}}</tool_call>\n", "text:Let me see.|call:time{}|call:weather{}")]
    [InlineData(0, "<tool_call>{\"name\":\"time\",\"arguments\":{}}", "call:time{}")]
    [InlineData(
        0,
        "<tool_call>{\"name\":\"rm\",\"arguments\":{}}</tool_call> x",
        "text:<tool_call>{\"name\":\"rm\",\"arguments\":{}}</tool_call> x")]
    [InlineData(0, "<tool_call>nonsense</tool_call>", "text:<tool_call>nonsense</tool_call>")]
    [InlineData(0, "a < b and <tool", "text:a < b and <tool")]
    [InlineData(0, "<think>x</think>y", "text:<think>x</think>y")]
    [InlineData(1, " {\"name\": \"weather\", \"parameters\": {\"city\": 1}}", "call:weather{\"city\": 1}")]
    [InlineData(1, "{\"name\": \"nothing\", \"parameters\": {}}", "text:{\"name\": \"nothing\", \"parameters\": {}}")]
    [InlineData(1, "Rome {", "text:Rome {")]
    [InlineData(
        2, "<think>\nhm</think>\nRome <tool_call>{\"name\":\"time\"}</tool_call>", "thought:hm|text:Rome|call:time{}")]
    [InlineData(2, "<thin", "text:<thin")]
    [InlineData(6, "hm", "thought:hm")]
    [InlineData(6, "hm</think>Rome", "thought:hm|text:Rome")]
    public void All_AnyPieces_GiveTheSameParts(int markup, string answer, string expected)
    {
        Assert.Equal(expected, Tell(Reader(markup).All(answer)));
        for (var size = 1; size < answer.Length; size++)
        {
            Assert.Equal(expected, Tell(InPieces(Reader(markup), answer, _ => size)));
        }
    }

    /// <summary>The parts do not depend on how the answer is cut into pieces.</summary>
    [Property]
    public void Append_AnyPieces_GiveTheSameParts(int[] choices, int seed, int markup)
    {
        string[] words =
        [
            "<tool_call>",
            "</tool_call>",
            "{\"name\": \"time\"}",
            "<think>",
            "</think>",
            " ",
            "\n",
            "<",
            "tool",
            "{",
            "text",
        ];
        var answer = string.Concat(choices.Select(choice => words[(int)((uint)choice % words.Length)]));
        var random = new Random(seed);
        var kind = (int)((uint)markup % 8);

        Assert.Equal(
            Tell(Reader(kind).All(answer)), Tell(InPieces(Reader(kind), answer, left => random.Next(1, left + 1))));
    }

    [Fact]
    public void All_SeveralCalls_HaveStableIdsOfTheirOwn()
    {
        const string Answer = "<tool_call>{\"name\":\"time\"}</tool_call><tool_call>{\"name\":\"time\"}</tool_call>";

        var ids = Reader(0).All(Answer).Select(part => part.Call!.Id).ToList();

        Assert.Equal(["call_1_0", "call_1_1"], ids);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Write_ReadParts_IsTheAnswer(int markup)
    {
        var answer = markup == 1
            ? "{\"name\": \"weather\", \"parameters\": {\"city\":  \"Rome\"}}"
            : "I look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\":  "
                + "\"Rome\"}}\n</tool_call>\n<tool_call>\n{\"name\": \"time\", \"arguments\": {}}\n</tool_call>";

        var parts = Reader(markup).All(answer);

        var text = string.Concat(parts.Select(part => part.Text));
        Assert.Equal(
            answer,
            CallText.Write(text, [.. parts.Select(part => part.Call).OfType<ToolCall>()], (AnswerMarkup)markup));
    }

    [Fact]
    public void Append_PlainAnswer_PassesTextOn()
    {
        var reader = new AnswerReader(AnswerMarkup.None, new GenerationSettings(), "turn_1");

        Assert.Equal("text:a <tool_call>", Tell(reader.Append("a <tool_call>")));
        Assert.Empty(reader.End());
    }

    private static AnswerReader Reader(int markup) => new((AnswerMarkup)markup, Settings, "turn_1");

    private static List<AnswerPart> InPieces(AnswerReader reader, string answer, Func<int, int> size)
    {
        var parts = new List<AnswerPart>();
        for (var at = 0; at < answer.Length;)
        {
            var length = Math.Min(size(answer.Length - at), answer.Length - at);
            parts.AddRange(reader.Append(answer.Substring(at, length)));
            at += length;
        }

        return [.. parts, .. reader.End()];
    }

    /// <summary>The parts. Adjacent parts of the same kind are joined.</summary>
    private static string Tell(IEnumerable<AnswerPart> parts)
    {
        var joined = new List<(string Kind, string Text)>();
        foreach (var part in parts)
        {
            var (kind, text) = part switch
            {
                { Call: { } call } => ("call", call.Name + call.Arguments),
                { Thought: { } thought } => ("thought", thought),
                _ => ("text", part.Text!),
            };
            if (kind != "call" && joined.Count > 0 && joined[^1].Kind == kind)
            {
                joined[^1] = (kind, joined[^1].Text + text);
            }
            else
            {
                joined.Add((kind, text));
            }
        }

        return string.Join('|', joined.Select(part => $"{part.Kind}:{part.Text}"));
    }
}
