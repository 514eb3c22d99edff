using Google.Protobuf;
using Google.Protobuf.Collections;
using Spectre.Console;

namespace Herd.Cli.Commands;

/// <summary>Prints lists, as tables for people or as JSON for programs.</summary>
internal static class Output
{
    private const int PipeWidth = 240;

    private static readonly JsonFormatter Json = new(
        JsonFormatter.Settings.Default
            .WithFormatDefaultValues(true).WithPreserveProtoFieldNames(true).WithIndentation());

    public static void WriteJson<T>(RepeatedField<T> items)
        where T : IMessage<T> =>
        Console.WriteLine($"[{string.Join(",\n", items.Select(item => Json.Format(item)))}]");

    public static void Write<T>(
        RepeatedField<T> items, bool json, params (string Title, Func<T, string> Value)[] columns)
        where T : IMessage<T>
    {
        if (json)
        {
            WriteJson(items);
            return;
        }

        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = PipeWidth;
        }

        var table = new Table().Border(TableBorder.None);
        foreach (var (title, _) in columns)
        {
            table.AddColumn(new TableColumn(title).NoWrap());
        }

        foreach (var item in items)
        {
            table.AddRow([.. columns.Select(column => Markup.Escape(column.Value(item)))]);
        }

        AnsiConsole.Write(table);
    }
}
