// SPDX-License-Identifier: GPL-2.0-or-later

import java.io.PrintWriter;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import sun.misc.Unsafe;

// deep_Java COUNT FILE: as program.py; then it has the virtual machine name its code. Its name is its class's, so that all frames count.
public class deep_Java {
    interface Way { void deep_go(int depth, int size); }

    static class deep_Plain implements Way {
        public void deep_go(int depth, int size) { deep_step(depth, size); }
    }

    static class deep_Locked implements Way {
        public synchronized void deep_go(int depth, int size) { deep_step(depth, size); }
    }

    static class deep_Tried implements Way {
        public void deep_go(int depth, int size) {
            try {
                deep_step(depth, size);
                throw new IllegalStateException();
            } catch (IllegalStateException expected) {
                kept = expected;
            }
        }
    }

    static class deep_Wide implements Way {
        public void deep_go(int depth, int size) { deep_many(depth, size, 1, 2.0, 3L, 4, 5, 6, 7.0); }
        static double deep_many(int depth, int size, int a, double b, long c, int d, int e, int f, double g) {
            deep_step(depth, size);
            return a + b + c + d + e + f + g;
        }
    }

    static final Way[] ways = {new deep_Plain(), new deep_Locked(), new deep_Tried(), new deep_Wide()};
    static final Random chance = new Random(7);
    static final List<String> account = new ArrayList<>();
    static Object kept;
    static Unsafe unsafe;

    static void deep_leaf(int size) {
        unsafe.freeMemory(unsafe.allocateMemory(size));
        account.add(size + " " + StackWalker.getInstance().walk(frames -> frames.map(
            frame -> frame.getClassName() + "." + frame.getMethodName()).collect(Collectors.joining(";"))));
    }

    static void deep_step(int depth, int size) {
        if (depth > 0)
            ways[chance.nextInt(ways.length)].deep_go(depth - 1, size);
        else
            deep_leaf(size);
    }

    public static void main(String[] words) throws Exception {
        Field field = Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        unsafe = (Unsafe) field.get(null);
        for (int number = 0; number < Integer.parseInt(words[0]); number++)
            deep_step(chance.nextInt(6), 100000 + 16 * number);
        try (PrintWriter file = new PrintWriter(words[1])) {
            account.forEach(file::println);
        }
        String pid = Long.toString(ProcessHandle.current().pid());
        new ProcessBuilder(System.getProperty("java.home") + "/bin/jcmd", pid, "Compiler.perfmap").start().waitFor();
    }
}
