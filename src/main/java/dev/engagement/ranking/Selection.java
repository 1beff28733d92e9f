package dev.engagement.ranking;

import java.util.Comparator;

/** Finds the best of many without sorting them (Hoare, "Algorithm 65: Find", 1961). */
final class Selection {

    private Selection() {}

    /**
     * Rearranges the first {@code size} elements so that the best {@code count} of them stand first, the last of these at
     * {@code count - 1}, in no other order.
     *
     * @param count 1 to {@code size}
     */
    static <T> void best(T[] elements, int size, int count, Comparator<T> bestFirst) {
        int wanted = count - 1;
        int low = 0;
        int high = size - 1;
        while (low < high) {
            T pivot = median(elements[low], elements[(low + high) >>> 1], elements[high], bestFirst);
            int left = low;
            int right = high;
            while (left <= right) {
                while (bestFirst.compare(elements[left], pivot) < 0) {
                    left++;
                }
                while (bestFirst.compare(elements[right], pivot) > 0) {
                    right--;
                }
                if (left <= right) {
                    T swapped = elements[left];
                    elements[left] = elements[right];
                    elements[right] = swapped;
                    left++;
                    right--;
                }
            }
            if (wanted <= right) {
                high = right;
            } else if (wanted >= left) {
                low = left;
            } else {
                return;
            }
        }
    }

    private static <T> T median(T a, T b, T c, Comparator<T> order) {
        if (order.compare(a, b) < 0) {
            return order.compare(b, c) < 0 ? b : order.compare(a, c) < 0 ? c : a;
        }
        return order.compare(a, c) < 0 ? a : order.compare(b, c) < 0 ? c : b;
    }
}
